//! Address spaces: what a program can reach, filled page by page when it first does.
//!
//! A program that asks for a gigabyte gets a line in a list. Frames come when pages are touched, one by one, full of zeros. A copy of
//! the program (`fork`) shares all frames with it, read-only, until one of them writes; then that page is copied. So every
//! page fault is a question to the list: is this access one that the program was promised?
//!
//! The list is [`Regions`](kernel_logic::user::regions::Regions), tested on the host; the page tables only hold what was
//! touched. They can always be thrown away and filled anew, but for the contents of the frames.

mod changes;
mod copy;
mod destroy;
mod fork;
mod map;
mod private;
mod resolve;
mod tables;

pub use map::Place;
pub use private::Builder;
pub use resolve::{Attempt, Unresolved};

use super::loaded;
use crate::platform::Platform;
use crate::sync::Mutex;
use arch::percpu::CpuSet;
use arch::{MmuOps, Pfn, VirtAddr};
use core::ops::Range;
use core::sync::atomic::AtomicBool;
use kernel_logic::user::regions::Regions;

/// The memory of one process.
#[derive(Debug)]
pub struct AddressSpace {
    root: Pfn,
    /// Its memory was given back, before it was dropped.
    is_destroyed: AtomicBool,
    memory: Mutex<Memory>,
}

/// What changes about it. The page tables change under the same lock.
#[derive(Debug)]
struct Memory {
    root: Pfn,
    regions: Regions,
    /// What `brk` may move the end of: from the end of the program's own segments on.
    heap: Range<u64>,
}

impl AddressSpace {
    fn new(root: Pfn, regions: Regions, heap: Range<u64>) -> Self {
        Self {
            root,
            is_destroyed: AtomicBool::new(false),
            memory: Mutex::new(Memory { root, regions, heap }),
        }
    }

    /// The root of its page tables.
    pub fn root(&self) -> Pfn {
        self.root
    }

    /// The CPUs on which it is loaded, whether or not they run the process at the moment.
    pub fn cpus(&self) -> CpuSet {
        loaded::cpus_with(self)
    }

    /// Has every CPU that may use a translation of `pages` forget it.
    fn flush(&self, pages: Range<VirtAddr>) {
        Platform::flush_on(self.cpus(), pages);
    }
}
