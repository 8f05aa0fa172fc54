//! Building an address space before anybody knows of it.
//!
//! As long as its page tables are ordinary memory, entries are ordinary stores. Given over as a whole, they cost Xen 166 instructions
//! an entry, instead of 730 and more for each update afterwards.

use super::destroy;
use super::tables::{Live, Private};
use super::{AddressSpace, Unresolved};
use crate::mm::{self, frames};
use crate::platform::Platform;
use arch::layout::{PAGE_SIZE, USER_END};
use arch::{MmuOps, PageTableLevel, Pfn, Pte, VirtAddr};
use core::mem;
use core::ops::Range;
use kernel_logic::paging::{self, Tables, leaf};
use kernel_logic::user::regions::{Regions, UserAccess};

/// An address space that is being built. Dropping it gives everything back.
#[derive(Debug)]
pub struct Builder {
    root: Pfn,
}

impl Builder {
    /// One without any page.
    ///
    /// # Errors
    /// [`Unresolved::OutOfMemory`]
    pub fn new() -> Result<Self, Unresolved> {
        let root = frames::allocate_for_program().ok_or(Unresolved::OutOfMemory)?;
        frames::clear(root);
        // SAFETY: the frame is ours, full of zeros, and memory that was allocated is in the direct map.
        unsafe { Platform::prepare_root(root) };
        Ok(Self { root })
    }

    /// Writes `bytes` to its memory at `address`; pages that are missing are added with `access`, full of zeros.
    ///
    /// # Errors
    /// [`Unresolved::OutOfMemory`]
    pub fn fill(&mut self, address: u64, bytes: &[u8], access: UserAccess) -> Result<(), Unresolved> {
        let mut rest = bytes;
        let mut at = VirtAddr::new(address);
        while !rest.is_empty() {
            let offset = at.as_u64() % PAGE_SIZE;
            let (piece, after) = rest.split_at(rest.len().min((PAGE_SIZE - offset) as usize));
            let memory = (self.page(at - offset, access)?.direct() + offset).as_mut_ptr::<u8>();
            // SAFETY: the frame is this address space's alone, in the direct map, and the piece ends where the page does.
            unsafe { memory.copy_from_nonoverlapping(piece.as_ptr(), piece.len()) };
            rest = after;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Enters `entry` for the page at `page`, which has none.
    pub(super) fn enter(&mut self, page: VirtAddr, entry: Pte) -> Result<(), Unresolved> {
        let slot = paging::make_way(&mut Private, self.root, page).map_err(|_| Unresolved::OutOfMemory)?;
        Private.write(slot, entry);
        Ok(())
    }

    /// The frame at `page`, a new one if it has none.
    fn page(&mut self, page: VirtAddr, access: UserAccess) -> Result<Pfn, Unresolved> {
        let slot = paging::make_way(&mut Private, self.root, page).map_err(|_| Unresolved::OutOfMemory)?;
        if let Some(frame) = Live.frame(Private.read(slot)) {
            return Ok(frame);
        }
        let frame = frames::allocate_for_program().ok_or(Unresolved::OutOfMemory)?;
        frames::clear(frame);
        Private.write(slot, leaf(&Private, frame, access, true));
        Ok(frame)
    }

    /// Gives the tables over: tables before those that name them, the root last. The finished address space has `regions` as what the
    /// program may touch, and `heap` as what `brk` may move the end of.
    pub fn build(self, regions: Regions, heap: Range<u64>) -> AddressSpace {
        let root = self.root;
        mem::forget(self);
        let _lazy = mm::lazy();
        paging::tables_below(&Private, root, |table, level| {
            // SAFETY: the tables are complete, valid, ours, and from now on written by the platform alone.
            unsafe { Platform::table_give(table, level) };
        });
        // SAFETY: as above.
        unsafe { Platform::table_give(root, PageTableLevel::Four) };
        AddressSpace::new(root, regions, heap)
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        destroy::release_pages(self.root, 0..USER_END);
        // SAFETY: the tables were never given over, and nobody knows them.
        paging::tables_below(&Private, self.root, |table, _| unsafe { destroy::free_table(table) });
        // SAFETY: as above.
        unsafe { destroy::free_table(self.root) };
    }
}
