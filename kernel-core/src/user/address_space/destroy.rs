//! The end of an address space: every frame goes back to where it came from.

use super::AddressSpace;
use super::changes::BATCH;
use super::tables::{Live, frame_of};
use crate::mm::{self, frames};
use crate::platform::Platform;
use arch::{MmuOps, PageTableLevel, Pfn};
use core::ops::Range;
use core::sync::atomic::Ordering::AcqRel;
use kernel_logic::paging;

impl AddressSpace {
    /// Gives all its memory back, unless that was done before.
    ///
    /// # Safety
    /// No CPU has it loaded, and no thread of the process will ever run again in user mode or use its memory.
    pub unsafe fn destroy(&self) {
        if self.is_destroyed.swap(true, AcqRel) {
            return;
        }
        let memory = self.memory.lock();
        // SAFETY: no CPU and no other tree refers to the root, as the caller promises.
        unsafe { Platform::table_take(self.root, PageTableLevel::Four) };
        for region in memory.regions.iter() {
            release_pages(self.root, region.pages);
        }
        let mut round = Round::new();
        paging::tables_below(&Live, self.root, |table, level| {
            // SAFETY: the tree is not in use, and each of its tables is visited when all below it have been.
            unsafe { round.take(table, level) };
        });
        // SAFETY: as above; the root was taken back already.
        unsafe {
            round.carry_out();
            free_table(self.root);
        }
    }
}

impl Drop for AddressSpace {
    fn drop(&mut self) {
        debug_assert!(self.cpus().is_empty(), "an address space that is loaded goes");
        // SAFETY: nobody refers to it, so no thread has it, and CPUs have only those that threads have.
        unsafe { self.destroy() };
    }
}

/// Gives up this tree's claims to the frames it maps in `pages`. Whoever calls it forgets the tree.
pub(super) fn release_pages(root: Pfn, pages: Range<u64>) {
    paging::leaves(&Live, root, pages, |_, pte| {
        // SAFETY: the tree is in no CPU, so nothing leads to the frame by it any more.
        unsafe { frames::release(frame_of(pte)) };
    });
}

/// Gives the frame of a table back.
///
/// # Safety
/// It is nobody's table any more.
pub(super) unsafe fn free_table(table: Pfn) {
    // SAFETY: the caller's promise.
    unsafe { frames::free(table, 0) }.expect("tables are frames that were allocated");
}

/// Tables that are taken back together, for the platform's sake.
struct Round {
    tables: [(Pfn, PageTableLevel); BATCH],
    count: usize,
}

impl Round {
    fn new() -> Self {
        Self {
            tables: [(Pfn(0), PageTableLevel::One); BATCH],
            count: 0,
        }
    }

    /// Takes one more.
    ///
    /// # Safety
    /// As for [`MmuOps::table_take`].
    unsafe fn take(&mut self, table: Pfn, level: PageTableLevel) {
        self.tables[self.count] = (table, level);
        self.count += 1;
        if self.count == BATCH {
            // SAFETY: the caller's promise, for each.
            unsafe { self.carry_out() };
        }
    }

    /// Takes them back, and only then frees them: a platform may do the taking when the batch ends.
    ///
    /// # Safety
    /// As for [`MmuOps::table_take`], of each.
    unsafe fn carry_out(&mut self) {
        let tables = &self.tables[..self.count];
        {
            let _lazy = mm::lazy();
            for (table, level) in tables {
                // SAFETY: the caller's promise.
                unsafe { Platform::table_take(*table, *level) };
            }
        }
        for (table, _) in tables {
            // SAFETY: as above.
            unsafe { free_table(*table) };
        }
        self.count = 0;
    }
}
