//! Page tables as memory: finding the way through a tree, and writing tables that are not in use yet.

use crate::{Xen, view};
use arch::layout::PAGE_SIZE;
use arch::{FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::iter;

/// How many entries a table has.
pub const ENTRIES: u64 = 512;

/// The rights in an entry that leads to another table. Xen opens it to ring 3 itself.
pub const TABLE: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::WRITABLE);

/// The rights to ordinary memory in the direct map.
pub const WRITABLE_DATA: PageTableFlags = TABLE.union(PageTableFlags::NO_EXECUTE);

/// Reads an entry, wherever the platform sees its table.
pub fn read(slot: Slot) -> Pte {
    // SAFETY: tables are in view, and the index is below 512. The processor may change an entry meanwhile, hence volatile.
    unsafe { view::of(slot.table).cast::<Pte>().add(slot.index()).read_volatile() }
}

/// The table of level 2 that translates `address`.
///
/// It is where the way ends because what hangs below differs: the image's tables of level 1 are filled page by page, the
/// direct map's in one go before they are entered. For each table that is missing on the way `missing` says what it has
/// entered into the slot given to it; if that is nothing, so is the answer.
pub fn descend(root: Pfn, address: VirtAddr, mut missing: impl FnMut(Slot) -> Option<Pfn>) -> Option<Pfn> {
    let mut table = root;
    for level in [PageTableLevel::Four, PageTableLevel::Three] {
        let slot = Slot { table, level, address };
        let entry = read(slot);
        table = if entry.is_present() {
            Xen::frame(entry).expect("the kernel's tables are in its own memory")
        } else {
            missing(slot)?
        };
    }
    Some(table)
}

/// The frame that the tree at `root` shows at `address`, if it is one of ours. All pages of a PV guest have 4 KiB.
pub fn frame_at(root: Pfn, address: VirtAddr) -> Option<Pfn> {
    let entry = read(slot_of(root, address)?);
    Some(entry).filter(|entry| entry.is_present()).and_then(Xen::frame)
}

/// The entry of level 1 in the tree at `root` that translates `address`, if there is a table for it.
pub fn slot_of(root: Pfn, address: VirtAddr) -> Option<Slot> {
    let level = PageTableLevel::Two;
    let table = descend(root, address, |_| None)?;
    let entry = read(Slot { table, level, address });
    let table = Some(entry).filter(|entry| entry.is_present()).and_then(Xen::frame)?;
    Some(Slot {
        table,
        level: PageTableLevel::One,
        address,
    })
}

/// Makes a private frame an empty table.
pub fn clear(table: Pfn) {
    // SAFETY: the frame is private to the caller, in view, and a table's size.
    unsafe { view::of(table).write_bytes(0, PAGE_SIZE as usize) };
}

/// Makes a private frame the direct map's table of level 1 with entries for `frames`, which share that table.
pub fn fill(table: Pfn, frames: FrameRange) {
    clear(table);
    let entries: *mut Pte = view::of(table).cast();
    for frame in frames.iter() {
        // SAFETY: as in `clear`; the index is below 512.
        unsafe {
            entries
                .add((frame.0 % ENTRIES) as usize)
                .write(Xen::pte(frame, WRITABLE_DATA))
        };
    }
}

/// Cuts `frames` into pieces that each share a table of level 1 in the direct map.
pub fn chunks(frames: FrameRange) -> impl Iterator<Item = FrameRange> {
    let mut rest = frames;
    iter::from_fn(move || {
        let cut = Pfn((rest.start.0 / ENTRIES + 1) * ENTRIES).min(rest.end);
        let chunk = FrameRange::new(rest.start, cut);
        rest.start = cut.max(rest.start);
        (!chunk.is_empty()).then_some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(start: u64, end: u64) -> FrameRange {
        FrameRange::new(Pfn(start), Pfn(end))
    }

    #[test]
    fn chunks_end_where_tables_do() {
        let cut: Vec<_> = chunks(range(500, 1030)).collect();
        assert_eq!(cut, [range(500, 512), range(512, 1024), range(1024, 1030)]);
        assert_eq!(chunks(range(7, 7)).count(), 0);
        assert_eq!(chunks(range(9, 7)).count(), 0);
    }

    proptest! {
        #[test]
        fn chunks_are_the_range_and_each_in_one_table(start in 0..5000_u64, length in 0..5000_u64) {
            let mut next = start;
            for chunk in chunks(range(start, start + length)) {
                prop_assert_eq!(chunk.start.0, next);
                prop_assert_eq!(chunk.start.0 / ENTRIES, (chunk.end.0 - 1) / ENTRIES);
                next = chunk.end.0;
            }
            prop_assert_eq!(next, start + length);
        }
    }
}
