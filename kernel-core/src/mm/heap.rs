//! The kernel's heap: `talc` on top of blocks of frames in the direct map.
//!
//! No page table is touched when the heap grows, which makes growing it as cheap under Xen as anywhere.

use super::frames;
use crate::sync::IrqLock;
use arch::Pfn;
use arch::layout::{DIRECT_MAP, PAGE_SIZE};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};
use talc::base::Talc;
use talc::base::binning::DefaultBinning;
use talc::source::GlobalAllocSource;

/// The heap grows by at least so many bytes.
const GROWTH: usize = 64 << 10;

#[global_allocator]
static HEAP: Heap = Heap(IrqLock::new(Talc::new(GlobalAllocSource::with_block_size(
    Blocks, GROWTH,
))));

struct Heap(IrqLock<Talc<GlobalAllocSource<Blocks>, DefaultBinning>>);

/// How the heap is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Bytes in use by the kernel.
    pub allocated: usize,
    /// Bytes the heap holds, used or not.
    pub claimed: usize,
}

/// How the heap is used now.
pub fn usage() -> Usage {
    let heap = HEAP.0.lock();
    let counters = heap.counters();
    Usage {
        allocated: counters.allocated_bytes,
        claimed: counters.claimed_bytes,
    }
}

// SAFETY: `talc` is an allocator; the lock makes its calls exclusive.
unsafe impl GlobalAlloc for Heap {
    /// # Safety
    /// `layout` is not empty.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller guarantees a layout that is not empty.
        unsafe { self.0.lock().allocate(layout) }.map_or(null_mut(), NonNull::as_ptr)
    }

    /// # Safety
    /// `alloc` gave `pointer` for this `layout`, and nobody uses it any more.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller guarantees that `alloc` gave `pointer` for this layout.
        unsafe { self.0.lock().deallocate(pointer, layout) };
    }
}

/// Blocks of frames, in the form in which `talc` asks for memory.
#[derive(Debug)]
struct Blocks;

// SAFETY: a block is memory that nobody else has until it is given back, and it is aligned to its size.
unsafe impl GlobalAlloc for Blocks {
    /// # Safety
    /// `layout` is not empty.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        frames::allocate(order(layout)).map_or(null_mut(), |block| block.direct().as_mut_ptr())
    }

    /// # Safety
    /// `alloc` gave `pointer` for this `layout`, and nobody uses it any more.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let block = Pfn::containing(pointer as u64 - DIRECT_MAP);
        // SAFETY: `talc` gives back what `alloc` gave it, and uses it no more.
        unsafe { frames::free(block, order(layout)) }.expect("the heap gives back its own blocks");
    }
}

/// The order of the smallest block that has room for `layout`.
fn order(layout: Layout) -> u8 {
    let frames = layout.size().max(layout.align()).div_ceil(PAGE_SIZE as usize);
    frames.next_power_of_two().ilog2() as u8
}
