//! Pages of the kernel's own space: mapping, taking away, changing what may be done with them.
//!
//! They come into tables that exist, and are mapped as the kernel's stacks are: many in one lazy section. The other two are flushed on all
//! CPUs, page by page. All of them show the same frame, which makes no difference to anyone.

use super::Benchmark;
use super::meter::{Figures, measure, measure_part};
use super::scratch::{self, SCRATCH};
use crate::mm;
use crate::mm::mappings::{self, Access};
use arch::layout::PAGE_SIZE;
use arch::{Pfn, VirtAddr};

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::new("map-and-unmap-page", map_and_unmap_page),
    Benchmark::new("map-1", map_page),
    Benchmark::new("map-64", || map_pages(64)),
    Benchmark::new("map-512", || map_pages(512)),
    Benchmark::new("protect-1", || protect_pages(1)),
    Benchmark::new("protect-64", || protect_pages(64)),
    Benchmark::new("protect-512", || protect_pages(512)),
    Benchmark::new("unmap-1", || unmap_pages(1)),
    Benchmark::new("unmap-64", || unmap_pages(64)),
    Benchmark::new("unmap-512", || unmap_pages(512)),
];

/// Maps a frame at an address whose page tables exist, and unmaps it again, on all CPUs.
fn map_and_unmap_page() -> Figures {
    with_frame(|frame| {
        measure(|| {
            mappings::map(SCRATCH, frame, Access::Write).expect("the page is free");
            unmap(1);
        })
    })
}

/// One page by itself: the core has no lazy section around such.
fn map_page() -> Figures {
    with_frame(|frame| measure_part(1, || (), |()| map_one(SCRATCH, frame), |()| unmap(1)))
}

fn map_pages(count: u64) -> Figures {
    with_frame(|frame| measure_part(count, || (), |()| map(frame, count), |()| unmap(count)))
}

fn protect_pages(count: u64) -> Figures {
    with_frame(|frame| measure_part(count, || map(frame, count), |()| protect(count), |()| unmap(count)))
}

fn unmap_pages(count: u64) -> Figures {
    with_frame(|frame| measure_part(count, || map(frame, count), |()| unmap(count), |()| ()))
}

fn with_frame(measured: impl FnOnce(Pfn) -> Figures) -> Figures {
    let frame = scratch::take_frame();
    let figures = measured(frame);
    scratch::give_frame(frame);
    figures
}

#[inline(always)]
fn map(frame: Pfn, count: u64) {
    let _lazy = mm::lazy();
    pages(count).for_each(|page| map_one(page, frame));
}

#[inline(always)]
fn map_one(page: VirtAddr, frame: Pfn) {
    mappings::map(page, frame, Access::Write).expect("the page is free");
}

#[inline(always)]
fn protect(count: u64) {
    for page in pages(count) {
        // SAFETY: nobody was told of the page.
        unsafe { mappings::protect(page, Access::Read) }.expect("it is mapped");
    }
}

#[inline(always)]
fn unmap(count: u64) {
    for page in pages(count) {
        // SAFETY: nobody was told of the page.
        unsafe { mappings::unmap(page) }.expect("it is mapped");
    }
}

fn pages(count: u64) -> impl Iterator<Item = VirtAddr> {
    (0..count).map(|number| SCRATCH + number * PAGE_SIZE)
}
