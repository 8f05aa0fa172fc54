//! A look at the machine's memory, a page at a time.
//!
//! The firmware's tables are in nobody's memory, and dom0 may map such frames. There is no address set aside for them: a page
//! of the image that serves as nothing but a place takes one after the other. What was mapped last stays; the kernel is
//! about to end.

use super::Memory;
use crate::hypercall::mmu::{Invalidate, Mfn, update_va_mapping};
use crate::mmu::foreign;
use arch::PageTableFlags;
use arch::layout::PAGE_SIZE;
use core::cell::UnsafeCell;

/// The place.
#[repr(C, align(4096))]
struct Place(UnsafeCell<[u8; PAGE_SIZE as usize]>);

// SAFETY: only a window touches it, and there is one.
unsafe impl Sync for Place {}

static PLACE: Place = Place(UnsafeCell::new([0; PAGE_SIZE as usize]));

/// The place, and the machine frame that is seen there.
#[derive(Debug)]
pub struct Window {
    frame: Option<u64>,
}

impl Window {
    /// A window that shows nothing yet.
    ///
    /// # Safety
    /// There is no other.
    pub unsafe fn new() -> Self {
        Self { frame: None }
    }

    /// Shows machine frame `frame`; false if Xen does not allow it.
    fn show(&mut self, frame: u64) -> bool {
        let flags = PageTableFlags::PRESENT | PageTableFlags::NO_EXECUTE;
        let entry = foreign(Mfn(frame), flags);
        // SAFETY: the place is a page of its own, whose contents only this window reads, through volatile reads.
        let shown = unsafe { update_va_mapping(PLACE.0.get() as u64, entry.bits(), Invalidate::Here) }.is_ok();
        self.frame = shown.then_some(frame);
        shown
    }
}

impl Memory for Window {
    fn byte(&mut self, address: u64) -> Option<u8> {
        let (frame, offset) = (address / PAGE_SIZE, address % PAGE_SIZE);
        if self.frame != Some(frame) && !self.show(frame) {
            return None;
        }
        // SAFETY: the offset is within the page, and the page is mapped.
        Some(unsafe { PLACE.0.get().cast::<u8>().add(offset as usize).read_volatile() })
    }
}
