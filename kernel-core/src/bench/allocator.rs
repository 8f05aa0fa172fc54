//! The allocators: frames, and the heap.

use super::Benchmark;
use super::meter::{Figures, measure};
use crate::mm::frames;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hint::black_box;

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::new("frame", || frames_of_order(0)),
    Benchmark::new("frames-512", || frames_of_order(9)),
    Benchmark::new("heap-64-bytes", heap_64_bytes),
    Benchmark::new("heap-1024-bytes", || heap(1024)),
    Benchmark::new("heap-16384-bytes", || heap(16384)),
];

/// Allocates a block of 2^`order` frames and frees it.
fn frames_of_order(order: u8) -> Figures {
    measure(|| {
        let block = frames::allocate(order).expect("memory for a block");
        // SAFETY: the block was just allocated, and nobody was told of it.
        unsafe { frames::free(block, order) }.expect("it was just allocated");
    })
}

/// Allocates 64 bytes, fills them with zeros, and frees them.
fn heap_64_bytes() -> Figures {
    measure(|| drop(black_box(Box::new([0u64; 8]))))
}

/// Allocates `size` bytes and frees them.
fn heap(size: usize) -> Figures {
    measure(|| drop(black_box(Vec::<u8>::with_capacity(size))))
}
