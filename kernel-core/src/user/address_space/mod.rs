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

use crate::platform::Platform;
use crate::smp;
use crate::sync::Mutex;
use arch::percpu::{CpuId, CpuSet};
use arch::{MmuOps, Pfn, VirtAddr};
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst, fence};
use kernel_logic::user::regions::Regions;

/// The memory of one process.
#[derive(Debug)]
pub struct AddressSpace {
    root: Pfn,
    /// The CPUs on which it is loaded, whether or not they run the process at the moment.
    loaded_on: AtomicU64,
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
            loaded_on: AtomicU64::new(0),
            is_destroyed: AtomicBool::new(false),
            memory: Mutex::new(Memory { root, regions, heap }),
        }
    }

    /// The root of its page tables.
    pub fn root(&self) -> Pfn {
        self.root
    }

    /// The CPUs on which it is loaded.
    pub fn cpus(&self) -> CpuSet {
        CpuSet::from_bits(self.loaded_on.load(SeqCst))
    }

    /// Notes that `cpu` is about to load it: from now on it is told when translations change.
    pub fn enters(&self, cpu: CpuId) {
        self.loaded_on.fetch_or(CpuSet::only(cpu).bits(), SeqCst);
    }

    /// Notes that `cpu` has loaded another.
    pub fn leaves(&self, cpu: CpuId) {
        self.loaded_on.fetch_and(!CpuSet::only(cpu).bits(), SeqCst);
    }

    /// Has every CPU that may use a translation of `pages` forget it.
    fn flush(&self, pages: Range<VirtAddr>) {
        // A CPU that enters after this has been read loads tables that were written before.
        fence(SeqCst);
        Platform::flush_on(self.cpus() & smp::online(), pages);
    }
}
