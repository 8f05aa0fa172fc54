//! Whether the `bootloader` crate finds its configuration, where it is the one to start the image.
//!
//! It looks for a section instead of a note. A macro writes that section, and the linker script keeps it; without it a disk image is
//! made all right, and its loader refuses the kernel. With another address for physical memory in it, the kernel refuses the loader.

use super::headers::CONFIGURATION;
use crate::platform::Platform;
use bootloader_api::BootloaderConfig;
use bootloader_api::config::Mapping;

/// Where the kernel wants all memory to be mapped (`arch::layout::DIRECT_MAP`).
pub const DIRECT_MAP: u64 = 0xffff_8880_0000_0000;

/// What is wrong with the configuration, which is these bytes.
pub fn complaints(platforms: &[Platform], bytes: &[u8]) -> Vec<String> {
    let is_read = platforms.iter().any(|platform| platform.is_bare());
    let complaints = match (is_read, bytes) {
        (false, []) => Vec::new(),
        (false, _) => vec!["is there, and no bootloader loads a Xen kernel".to_owned()],
        (true, []) => vec!["is missing: no disk image could be made".to_owned()],
        (true, bytes) => refused(bytes),
    };
    let named = complaints.iter().map(|what| format!("section {CONFIGURATION} {what}"));
    named.collect()
}

/// Why the loader, or the kernel that it starts, would not go on with a configuration.
fn refused(bytes: &[u8]) -> Vec<String> {
    let mappings = match BootloaderConfig::deserialize(bytes) {
        Ok(configuration) => configuration.mappings,
        Err(why) => {
            let (length, right) = (bytes.len(), BootloaderConfig::SERIALIZED_LEN);
            return vec![format!("cannot be read ({length} bytes of {right}): {why}")];
        }
    };
    let mut complaints = Vec::new();
    if mappings.physical_memory != Some(Mapping::FixedAddress(DIRECT_MAP)) {
        complaints.push(format!(
            "does not ask for physical memory at {DIRECT_MAP:#x}, but has {:x?}",
            mappings.physical_memory
        ));
    }
    if mappings.kernel_base != Mapping::Dynamic {
        complaints.push("asks for the image at an address: the loader moves none that is linked for one".to_owned());
    }
    complaints
}
