//! A page and an address space that nobody needs, to do things to.

use crate::mm::frames;
use crate::mm::mappings::{self, Access};
use crate::platform::Platform;
use crate::user::AddressSpace;
use crate::user::address_space::Builder;
use arch::layout::MAPPINGS;
use arch::{MmuOps, Pfn, Pte, Slot, VirtAddr};
use kernel_logic::user::regions::{Regions, UserAccess};

/// Where nothing else is ever mapped, from here on for a gigabyte: between the tests' pages and the stacks.
pub const SCRATCH: VirtAddr = VirtAddr::new_truncate(MAPPINGS + (48 << 30));

/// A frame without contents.
pub fn take_frame() -> Pfn {
    frames::allocate(0).expect("memory for a frame")
}

/// Gives back what [`take_frame`] returned.
pub fn give_frame(frame: Pfn) {
    // SAFETY: the benchmarks give back what they took, and have told nobody of it.
    unsafe { frames::free(frame, 0) }.expect("it was allocated");
}

/// A page of the kernel's space, mapped at [`SCRATCH`].
pub struct Page {
    /// The frame that it shows.
    pub frame: Pfn,
    /// Its entry.
    pub slot: Slot,
}

impl Page {
    /// The only one.
    pub fn map() -> Self {
        let frame = take_frame();
        mappings::map(SCRATCH, frame, Access::Write).expect("the page is free");
        let slot = mappings::walk(SCRATCH).slot;
        Self { frame, slot }
    }

    /// Writes its entry.
    pub fn set(&self, pte: Pte) {
        // SAFETY: nobody refers to the page, nor writes the same table while the kernel measures.
        unsafe { Platform::set_entry(self.slot, pte) };
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.set(Pte::EMPTY);
        Platform::flush_all();
        give_frame(self.frame);
    }
}

/// An address space of one page, as small as those of programs get.
pub fn space() -> AddressSpace {
    const PAGE: u64 = 0x40_0000;
    let access = UserAccess::READ | UserAccess::WRITE;
    let mut builder = Builder::new().expect("memory for a root");
    builder.fill(PAGE, &[1], access).expect("memory for a page");
    let mut regions = Regions::new();
    regions.insert(PAGE..PAGE + 4096, access).expect("a valid region");
    builder.build(regions, PAGE + 4096..PAGE + 4096)
}
