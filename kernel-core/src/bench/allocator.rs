//! The allocators: frames, and the heap.

use super::Benchmark;
use super::meter::{Figures, measure};
use crate::mm::frames;
use alloc::boxed::Box;
use alloc::vec::Vec;
use arch::Pfn;
use core::array::from_fn;
use core::hint::black_box;
use kernel_logic::frames::SECTION_FRAMES;

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::new("frame", || frames_of_order(0)),
    Benchmark::new("frames-512", || frames_of_order(9)),
    Benchmark::new("heap-64-bytes", heap_64_bytes),
    Benchmark::new("heap-1024-bytes", || heap(1024)),
    Benchmark::new("heap-16384-bytes", || heap(16384)),
];

/// Takes all memory up to the next whole section, for good: what is allocated from then on comes out of a large block, on every platform.
///
/// Before, frames come from what the image and the boot code have left between them, and how often blocks of that are split and joined
/// is a matter of where the image ends. A page more of code would show in figures that have nothing to do with it.
pub(super) fn settle() {
    /// So many in a row from another section than the first mean that nothing is left over.
    const ENOUGH: u32 = 64;
    let section = |frame: Pfn| frame.0 / SECTION_FRAMES;
    let Some(first) = frames::allocate(0).map(section) else {
        return;
    };
    let mut elsewhere = 0;
    while elsewhere < ENOUGH
        && let Some(frame) = frames::allocate(0)
    {
        elsewhere = if section(frame) == first { 0 } else { elsewhere + 1 };
    }
}

/// Allocates a block of 2^`order` frames and frees it, where there is one of just this size: nothing is split, nor joined with its other
/// half. How much there would be to split depends on all that was allocated before.
fn frames_of_order(order: u8) -> Figures {
    let held: [Pfn; 8] = from_fn(|_| allocate(order));
    held.iter().step_by(2).for_each(|block| free(*block, order));
    let figures = measure(|| free(allocate(order), order));
    held.iter().skip(1).step_by(2).for_each(|block| free(*block, order));
    figures
}

#[inline(always)]
fn allocate(order: u8) -> Pfn {
    frames::allocate(order).expect("memory for a block")
}

#[inline(always)]
fn free(block: Pfn, order: u8) {
    // SAFETY: the block was allocated here, and nobody was told of it.
    unsafe { frames::free(block, order) }.expect("it was allocated");
}

/// Allocates 64 bytes, fills them with zeros, and frees them.
fn heap_64_bytes() -> Figures {
    measure(|| drop(black_box(Box::new([0u64; 8]))))
}

/// Allocates `size` bytes and frees them.
fn heap(size: usize) -> Figures {
    measure(|| drop(black_box(Vec::<u8>::with_capacity(size))))
}
