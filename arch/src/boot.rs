//! What a platform knows at the moment it hands the machine to the core.
//!
//! Three loaders tell it in three formats; the core gets this one.

use crate::memory::{FrameRange, MemoryMap, Pfn};
use core::ops::Range;
use x86_64::VirtAddr;

/// The state of the machine when [`Kernel::start`](crate::Kernel::start) is called.
///
/// By then the platform runs on page tables of its own making, with the image's segments mapped with their own rights and no
/// page writable and executable, on a stack with a guard page, with exceptions going to the core, interrupts masked, and
/// the console working.
#[derive(Debug)]
pub struct Boot {
    /// The way the kernel was entered, such as `PVH` or `bootloader_api`.
    pub entry: &'static str,
    /// [`TimeOps::cycles`](crate::TimeOps::cycles) at the first instruction of the kernel.
    pub entry_cycles: u64,
    /// The kernel's command line, without the file name.
    pub command_line: &'static str,
    /// The frames that are free for the core: all usable memory without the image, the modules, the page tables and what else
    /// the platform keeps.
    pub memory: MemoryMap,
    /// All memory the machine has, the used part included, in frames.
    pub total_frames: u64,
    /// Free frames below this number are in the direct map already; for others the core first calls
    /// [`MmuOps::map_direct`](crate::MmuOps::map_direct).
    pub direct_below: Pfn,
    /// The stack the core runs on.
    pub stack: Range<VirtAddr>,
    /// The boot module (initial RAM file system) if the loader was given one; its frames are not in `memory`.
    pub module: Option<FrameRange>,
}

impl Boot {
    /// The platform that the command line asks for, by the last of its words `platform=NAME`.
    pub fn platform_asked(&self) -> Option<&'static str> {
        let words = self.command_line.split_ascii_whitespace();
        words.filter_map(|word| word.strip_prefix("platform=")).next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_for_a_platform_counts() {
        let asked = |command_line| {
            let boot = Boot {
                entry: "",
                entry_cycles: 0,
                command_line,
                memory: MemoryMap::new(),
                total_frames: 0,
                direct_below: Pfn(0),
                stack: VirtAddr::zero()..VirtAddr::zero(),
                module: None,
            };
            boot.platform_asked()
        };
        assert_eq!(asked("log=debug"), None);
        assert_eq!(
            asked("xplatform=vmi platform=xen  platform=native log=off"),
            Some("native")
        );
        assert_eq!(asked("platform="), Some(""));
    }
}
