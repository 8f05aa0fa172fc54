//! Memory: frames, the heap, and pages of the kernel's own space.

use super::Benchmark;
use super::meter::{Figures, measure};
use crate::mm::frames;
use crate::mm::mappings::{self, Access};
use alloc::boxed::Box;
use arch::VirtAddr;
use arch::layout::MAPPINGS;
use core::hint::black_box;

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "frame",
        run: frame,
    },
    Benchmark {
        name: "heap-64-bytes",
        run: heap_64_bytes,
    },
    Benchmark {
        name: "map-and-unmap-page",
        run: map_and_unmap_page,
    },
];

/// Allocates one frame and frees it.
fn frame() -> Figures {
    measure(|| {
        let frame = frames::allocate(0).expect("memory for a frame");
        // SAFETY: the frame was just allocated, and nobody was told of it.
        unsafe { frames::free(frame, 0) }.expect("it was just allocated");
    })
}

/// Allocates 64 bytes and frees them.
fn heap_64_bytes() -> Figures {
    measure(|| drop(black_box(Box::new([0u64; 8]))))
}

/// Maps a frame at an address whose page tables exist, and unmaps it again, on all CPUs.
fn map_and_unmap_page() -> Figures {
    /// Where nothing else is ever mapped: between the tests' pages and the stacks.
    const PAGE: VirtAddr = VirtAddr::new_truncate(MAPPINGS + (48 << 30));
    let frame = frames::allocate(0).expect("memory for a frame");
    let figures = measure(|| {
        mappings::map(PAGE, frame, Access::Write).expect("the page is free");
        // SAFETY: nobody was told of the page.
        unsafe { mappings::unmap(PAGE) }.expect("it was just mapped");
    });
    // SAFETY: the frame is mapped nowhere any more.
    unsafe { frames::free(frame, 0) }.expect("it was just allocated");
    figures
}
