//! Where the platform itself sees a frame.
//!
//! At first Xen's own mapping from the image's base on, later the kernel's direct map. Everything here that looks into a
//! frame (the console's ring, page tables) asks this file each time instead of keeping a pointer, so nobody can forget to be told
//! of the change from one mapping to the other. Only the list of frames, which is looked into for every entry of a page table, is
//! kept where it is seen, and told.

use crate::p2m;
use arch::Pfn;
use arch::layout::{DIRECT_MAP, IMAGE_BASE, PAGE_SIZE};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static BASE: AtomicU64 = AtomicU64::new(IMAGE_BASE);

/// Where `frame` is seen, if it is: at first below [`StartInfo::mapped_below`](crate::start_info::StartInfo::mapped_below), later
/// wherever the direct map reaches.
#[inline(always)]
pub fn of(frame: Pfn) -> *mut u8 {
    (BASE.load(Relaxed) + frame.0 * PAGE_SIZE) as *mut u8
}

/// From now on frames are seen in the direct map.
pub fn through_direct_map() {
    BASE.store(DIRECT_MAP, Relaxed);
    p2m::find_list();
}
