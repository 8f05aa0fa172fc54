//! Stacks for CPUs and threads, each above a page that is never mapped.
//!
//! They lie in a region of their own, at equal distances, so that an address tells which stack it belongs to, or which
//! stack's guard page it is: that is what a fault handler wants to know, at a moment when it can ask nobody.

use super::frames;
use super::mappings::{self, Access, MapError};
use crate::sync::IrqLock;
use alloc::vec::Vec;
use arch::VirtAddr;
use arch::layout::{MAPPINGS, PAGE_SIZE};
use core::arch::global_asm;
use core::mem;
use core::ops::Range;

/// Where the stacks' region starts, and how far it may reach.
const REGION: Range<u64> = MAPPINGS + (64 << 30)..MAPPINGS + (128 << 30);

/// Bytes of a stack: four times what all tests together need at the deepest, in a debug build and with a killed program's report.
const SIZE: u64 = 32 << 10;

// The size as a symbol of the image, for whoever proves on the image that it is enough: `cargo xtask audit`.
global_asm!(".globl kernel_stack_size", ".set kernel_stack_size, {size}", size = const SIZE);

/// From one stack to the next: the guard page and the stack.
const STRIDE: u64 = SIZE + PAGE_SIZE;

static SLOTS: IrqLock<Slots> = IrqLock::new(Slots {
    used: 0,
    free: Vec::new(),
});

/// Which places of the region are taken.
struct Slots {
    /// Places below this have been used.
    used: u64,
    /// Used places whose stacks are gone; the pages stay mapped for the next.
    free: Vec<u64>,
}

/// A stack. Dropping it keeps its memory for another.
#[derive(Debug)]
pub struct KernelStack {
    slot: u64,
}

impl KernelStack {
    /// A stack, an old one if there is any.
    ///
    /// # Errors
    /// [`MapError`] if there is no memory, or no room in the region.
    pub fn new() -> Result<Self, MapError> {
        let reused = SLOTS.lock().free.pop();
        if let Some(slot) = reused {
            return Ok(Self { slot });
        }
        let slot = {
            let mut slots = SLOTS.lock();
            slots.used += 1;
            slots.used - 1
        };
        let stack = Self { slot };
        match stack.map() {
            Ok(()) => Ok(stack),
            Err(error) => {
                // Its place stays unused: what is dropped is taken for a stack that can be used again.
                mem::forget(stack);
                Err(error)
            }
        }
    }

    /// Its addresses; the end is the initial stack pointer.
    pub fn range(&self) -> Range<VirtAddr> {
        let start = VirtAddr::new(REGION.start + self.slot * STRIDE + PAGE_SIZE);
        start..start + SIZE
    }

    fn map(&self) -> Result<(), MapError> {
        let range = self.range();
        if range.end.as_u64() > REGION.end {
            return Err(MapError::OutOfBounds(range.end));
        }
        let [start, end] = [range.start, range.end];
        // The ends one by one, so that both have the page tables they need; then all between them in one go.
        map_pages(start..start + PAGE_SIZE)?;
        map_pages(end - PAGE_SIZE..end).inspect_err(|_| unmap_pages(start..start + PAGE_SIZE))?;
        let _lazy = super::lazy();
        map_pages(start + PAGE_SIZE..end - PAGE_SIZE).inspect_err(|_| {
            unmap_pages(start..start + PAGE_SIZE);
            unmap_pages(end - PAGE_SIZE..end);
        })
    }
}

/// Maps all of `pages` or none.
fn map_pages(pages: Range<VirtAddr>) -> Result<(), MapError> {
    for page in each(pages.clone()) {
        map_page(page).inspect_err(|_| unmap_pages(pages.start..page))?;
    }
    Ok(())
}

fn unmap_pages(pages: Range<VirtAddr>) {
    each(pages).for_each(unmap_page);
}

/// The pages in `pages`.
fn each(pages: Range<VirtAddr>) -> impl Iterator<Item = VirtAddr> {
    let count = (pages.end - pages.start) / PAGE_SIZE;
    (0..count).map(move |number| pages.start + number * PAGE_SIZE)
}

fn map_page(page: VirtAddr) -> Result<(), MapError> {
    let frame = frames::allocate(0).ok_or(MapError::OutOfMemory)?;
    mappings::map(page, frame, Access::Write).inspect_err(|_| {
        // SAFETY: the frame was not mapped after all, so nobody knows it.
        unsafe { frames::free(frame, 0) }.expect("it was just allocated");
    })
}

fn unmap_page(page: VirtAddr) {
    // SAFETY: the stack was never handed out, so nobody refers to its pages and their frames.
    unsafe {
        if let Ok(Some(frame)) = mappings::unmap(page) {
            frames::free(frame, 0).expect("`map_page` allocated it");
        }
    }
}

impl Drop for KernelStack {
    fn drop(&mut self) {
        SLOTS.lock().free.push(self.slot);
    }
}

/// The stack that `address` belongs to, its guard page included, if it is in the region.
pub fn containing(address: u64) -> Option<Range<u64>> {
    if !REGION.contains(&address) {
        return None;
    }
    let guard = address - (address - REGION.start) % STRIDE;
    Some(guard + PAGE_SIZE..guard + STRIDE)
}
