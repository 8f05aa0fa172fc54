//! Changes to page tables that are made together.
//!
//! Under Xen one update by itself costs about 1,200 instructions and one of many 730; but while they are collected the thread must
//! stay on its CPU. A batch of bounded size has both: the price of many, and a pause for others after each.

use super::tables::Live;
use crate::mm;
use arch::{Pte, Slot};
use kernel_logic::paging::Tables;

/// How many changes are made together.
pub(super) const BATCH: usize = 64;

/// Entries that are to be written.
pub(super) struct Changes {
    list: [Option<(Slot, Pte)>; BATCH],
    length: usize,
}

impl Changes {
    pub fn new() -> Self {
        Self {
            list: [None; BATCH],
            length: 0,
        }
    }

    /// Adds the change of `slot` to `pte`, unless there is no room left: then all must be written first.
    pub fn push(&mut self, slot: Slot, pte: Pte) {
        self.list[self.length] = Some((slot, pte));
        self.length += 1;
    }

    pub fn is_full(&self) -> bool {
        self.length == BATCH
    }

    /// Writes all of them, and forgets them.
    pub fn write(&mut self) {
        let _lazy = mm::lazy();
        for change in &mut self.list[..self.length] {
            if let Some((slot, pte)) = change.take() {
                Live.write(slot, pte);
            }
        }
        self.length = 0;
    }
}
