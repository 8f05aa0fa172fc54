//! The direct map while the kernel runs: more memory comes into it, and page tables lose a right there and get it back.

use super::queue::Queue;
use super::tree::{TABLE, WRITABLE_DATA, clear, descend, fill, read, slot_of};
use super::{on_this_cpu, update};
use crate::Xen;
use crate::hypercall::Granted;
use crate::hypercall::mmu::{Invalidate, update_va_mapping};
use arch::mmu::OutOfTables;
use arch::{FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot};

/// Maps frames that share a table of level 1.
///
/// # Safety
/// As for [`MmuOps::map_direct`].
pub unsafe fn map_chunk(chunk: FrameRange, table: &mut impl FnMut() -> Option<Pfn>) -> Result<(), OutOfTables> {
    let address = chunk.start.direct();
    let directory = descend(Xen::root(), address, |slot| {
        let new = table()?;
        // SAFETY: the frame is ours, and an empty table is a valid one.
        unsafe { hook(slot, new, clear) };
        Some(new)
    });
    let slot = Slot {
        table: directory.ok_or(OutOfTables)?,
        level: PageTableLevel::Two,
        address,
    };
    match Xen::frame(read(slot)).filter(|_| read(slot).is_present()) {
        // SAFETY: the entries are those of free frames in the direct map.
        Some(existing) => unsafe { add(existing, chunk) },
        None => {
            let new = table().ok_or(OutOfTables)?;
            // SAFETY: the frame is ours; it is filled with valid entries before it is given over.
            unsafe { hook(slot, new, |new| fill(new, chunk)) };
        }
    }
    Ok(())
}

/// Has `write` complete the new table `table`, gives it over, and enters it at `slot`.
///
/// # Safety
/// The frame is in the direct map and nobody's; `write` makes it a valid table of the level below the slot's.
unsafe fn hook(slot: Slot, table: Pfn, write: impl FnOnce(Pfn)) {
    write(table);
    let level = slot.level.next_lower_level().expect("tables are entered above level 1");
    // SAFETY: the caller vouches for both.
    unsafe {
        Xen::table_give(table, level);
        Xen::set_entry(slot, Xen::pte(table, TABLE));
    }
}

/// Enters `frames` into a table of level 1 that is in use.
///
/// # Safety
/// As for [`MmuOps::map_direct`].
unsafe fn add(table: Pfn, frames: FrameRange) {
    Xen::lazy_begin();
    for frame in frames.iter() {
        let slot = Slot {
            table,
            level: PageTableLevel::One,
            address: frame.direct(),
        };
        // SAFETY: the caller promises free frames, whose entries nobody else writes.
        unsafe { Xen::set_entry(slot, Xen::pte(frame, WRITABLE_DATA)) };
    }
    Xen::lazy_end();
}

/// What may be done with a frame through the direct map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    /// It is a page table.
    Read,
    /// It is ordinary memory.
    Write,
}

/// Changes the right to `frame` in the direct map, at once or, in lazy MMU mode, in its turn.
///
/// A right that is taken away Xen drops from the caches itself, before it takes the frame for a page table. One that is given
/// is its guest's business: another CPU may have read the table there, and would fault on its first write.
pub fn protect(frame: Pfn, right: Right) {
    on_this_cpu(|cpu| {
        if cpu.queue.is_collecting() {
            protect_later(&cpu.queue, frame, right);
        } else {
            protect_now(frame, right);
        }
    });
}

/// Changes the right to `frame` by the hypercall that finds the entry itself.
fn protect_now(frame: Pfn, right: Right) {
    let stale = match right {
        Right::Read => Invalidate::Here,
        Right::Write => Invalidate::Everywhere,
    };
    // SAFETY: the callers give a page table over, which is only read from then on, or take one back that is nobody's.
    unsafe { update_va_mapping(frame.direct().as_u64(), right.entry(frame).bits(), stale) }.granted();
}

/// Changes the right to `frame` by an update in the queue, and what is cached of a lesser one with it.
fn protect_later(queue: &Queue, frame: Pfn, right: Right) {
    let slot = slot_of(Xen::root(), frame.direct()).expect("page tables are in the direct map");
    if right == Right::Write {
        queue.outdate(slot.address);
    }
    // SAFETY: as in `protect_now`.
    unsafe { queue.push(update(slot, right.entry(frame))) };
}

impl Right {
    /// The entry of the direct map that gives it.
    fn entry(self, frame: Pfn) -> Pte {
        let flags = match self {
            Self::Read => WRITABLE_DATA.difference(PageTableFlags::WRITABLE),
            Self::Write => WRITABLE_DATA,
        };
        Xen::pte(frame, flags)
    }
}
