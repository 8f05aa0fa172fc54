//! Checking that an image says what its loader wants to hear, and that it is true.
//!
//! A loader learns from ELF notes how to start a kernel: where the entry is, in which mode, what the guest can do. A
//! missing note shows late and badly. Xen prints one line among many and reboots after five seconds; QEMU calls the
//! file "not a valid kernel" and leaves the reason open. A wrong one is worse, since the loader believes it and jumps. Here every
//! complaint names the note and what it is for.
//!
//! Numbers and meanings: `xen/include/public/elfnote.h`; QEMU reads the same note 18 for its direct boot, as eight
//! bytes and only from a program header aligned to four.

mod complete;
mod configuration;
pub mod entries;
mod headers;
#[cfg(test)]
pub mod sample;
mod segments;

use crate::platform::Platform;
use headers::Headers;
use std::collections::BTreeMap;

/// What the image's addresses are more than where it is loaded (`arch::layout::IMAGE_BASE`).
pub const IMAGE_BASE: u64 = 0xffff_ffff_8000_0000;

/// Virtual address of the 64-bit entry.
const ENTRY: u32 = 1;
/// Virtual address of a page that Xen fills with code for hypercalls; the kernel has that code in line.
const HYPERCALL_PAGE: u32 = 2;
/// Virtual address that corresponds to the first frame of the guest.
const VIRT_BASE: u32 = 3;
/// What to subtract from physical addresses in program headers.
const PADDR_OFFSET: u32 = 4;
/// The interface the kernel was written for.
const XEN_VERSION: u32 = 5;
/// What the kernel is called.
const GUEST_OS: u32 = 6;
/// Which version of it this is.
const GUEST_VERSION: u32 = 7;
/// Who can load it.
const LOADER: u32 = 8;
/// Features by name.
const FEATURES: u32 = 10;
/// Features as a bit mask; dom0 must be among them if the note is there at all.
const SUPPORTED_FEATURES: u32 = 17;
/// Physical address of the 32-bit entry.
const PHYS32_ENTRY: u32 = 18;

/// The notes known here, by the names that the header gives them.
const NAMES: [(u32, &str); 11] = [
    (ENTRY, "ENTRY"),
    (HYPERCALL_PAGE, "HYPERCALL_PAGE"),
    (VIRT_BASE, "VIRT_BASE"),
    (PADDR_OFFSET, "PADDR_OFFSET"),
    (XEN_VERSION, "XEN_VERSION"),
    (GUEST_OS, "GUEST_OS"),
    (GUEST_VERSION, "GUEST_VERSION"),
    (LOADER, "LOADER"),
    (FEATURES, "FEATURES"),
    (SUPPORTED_FEATURES, "SUPPORTED_FEATURES"),
    (PHYS32_ENTRY, "PHYS32_ENTRY"),
];

/// What is wrong with the file `image` as a kernel for all of `platforms`; nothing, if it will boot on each.
///
/// The file that machines load has no names. So `symbols` are those of the file that it was made from, each with its address.
pub fn complaints(platforms: &[Platform], image: &[u8], symbols: &BTreeMap<String, u64>) -> Vec<String> {
    match Headers::read(image) {
        Err(why) => vec![format!("cannot be read as a 64-bit ELF file: {why}")],
        Ok(headers) if headers.notes.is_empty() => {
            vec!["no ELF note owned by \"Xen\" in any PT_NOTE program header".to_owned()]
        }
        Ok(headers) => [
            complete::complaints(platforms, &headers),
            segments::complaints(&headers),
            entries::complaints(platforms, &headers, symbols),
            configuration::complaints(platforms, &headers.configuration),
        ]
        .concat(),
    }
}

/// The note of type `kind` as complaints name it.
fn named(kind: u32) -> String {
    let known = NAMES.iter().find(|(known, _)| *known == kind);
    known.map_or_else(|| format!("note {kind}"), |(_, name)| format!("note {kind} ({name})"))
}

#[cfg(test)]
mod tests;
