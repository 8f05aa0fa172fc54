//! The page tables of programs, written through the platform or, before they are given over, by plain stores.

use crate::mm::frames;
use crate::platform::Platform;
use arch::{MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot};
use kernel_logic::paging::{Tables, leaf_frame};

/// Tables that were given over to the platform. Whoever uses them holds the lock of their address space.
pub(super) struct Live;

impl Tables for Live {
    const TABLE_FLAGS: PageTableFlags = Private::TABLE_FLAGS;

    fn read(&self, slot: Slot) -> Pte {
        // SAFETY: slots come from walks that start at a program's root, so the table is one, and in the direct map.
        unsafe { slot.read() }
    }

    fn write(&mut self, slot: Slot, pte: Pte) {
        // SAFETY: as for `read`; the lock makes us the only writer. Nothing in the kernel refers to a page of a program.
        unsafe { Platform::set_entry(slot, pte) };
    }

    fn entry(&self, frame: Pfn, flags: PageTableFlags) -> Pte {
        Platform::pte(frame, flags)
    }

    fn frame(&self, pte: Pte) -> Option<Pfn> {
        Platform::frame(pte)
    }

    fn new_table(&mut self, level: PageTableLevel) -> Option<Pfn> {
        let table = Private.new_table(level)?;
        // SAFETY: the frame is ours and full of empty entries; we forget it here.
        unsafe { Platform::table_give(table, level) };
        Some(table)
    }
}

/// Tables that nobody knows of yet but the one who builds them.
pub(super) struct Private;

impl Tables for Private {
    const TABLE_FLAGS: PageTableFlags = PageTableFlags::PRESENT
        .union(PageTableFlags::WRITABLE)
        .union(PageTableFlags::USER_ACCESSIBLE);

    fn read(&self, slot: Slot) -> Pte {
        Live.read(slot)
    }

    fn write(&mut self, slot: Slot, pte: Pte) {
        // SAFETY: the table is a frame of the builder's own, in the direct map, and not given over yet.
        unsafe { slot.pointer().write(pte) };
    }

    fn entry(&self, frame: Pfn, flags: PageTableFlags) -> Pte {
        Live.entry(frame, flags)
    }

    fn frame(&self, pte: Pte) -> Option<Pfn> {
        Live.frame(pte)
    }

    fn new_table(&mut self, _: PageTableLevel) -> Option<Pfn> {
        let table = frames::allocate_for_program()?;
        frames::clear(table);
        Some(table)
    }
}

/// The frame of a page that a program has, within its reach or not.
pub(super) fn frame_of(pte: Pte) -> Pfn {
    leaf_frame(&Live, pte).expect("programs have ordinary memory")
}
