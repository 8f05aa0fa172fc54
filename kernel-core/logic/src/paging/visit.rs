//! Going through the part of a tree of page tables that belongs to a program.
//!
//! A fork, a change of rights and the end of a process concern whole ranges of addresses, most of which have no pages. Looking
//! each page up from the root would take four reads for every one that is not there; going through the tables themselves passes over
//! a gigabyte without pages by one look.

use super::leaf::has_page;
use super::{Tables, descend};
use arch::layout::{PAGE_SIZE, USER_END};
use arch::{PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::iter;
use core::ops::Range;

/// Visits all entries of level one that have a page ([`leaf`](super::leaf)) with bytes in `range`, present or held, by ascending
/// addresses. What lies beyond [`USER_END`] is not looked at.
///
/// The visitor may write the entry it is shown, and no other one.
pub fn leaves(tables: &impl Tables, root: Pfn, range: Range<u64>, mut visit: impl FnMut(Slot, Pte)) {
    let pages = range.start - range.start % PAGE_SIZE..range.end.min(USER_END);
    leaves_of(tables, root, PageTableLevel::Four, pages, &mut visit);
}

/// Visits all tables of the lower half of the tree, without its root, each after those below it: whoever takes a tree apart may free
/// each table as it comes.
pub fn tables_below(tables: &impl Tables, root: Pfn, mut visit: impl FnMut(Pfn, PageTableLevel)) {
    tables_of(tables, root, PageTableLevel::Four, 0..USER_END, &mut visit);
}

fn leaves_of(
    tables: &impl Tables,
    table: Pfn,
    level: PageTableLevel,
    pages: Range<u64>,
    visit: &mut impl FnMut(Slot, Pte),
) {
    for (slot, pte) in used(tables, table, level, &pages) {
        match descend(tables, slot, pte) {
            Some(below) => leaves_of(tables, below.table, below.level, part(&pages, slot), visit),
            None if level == PageTableLevel::One && has_page(pte) => visit(slot, pte),
            None => {}
        }
    }
}

fn tables_of(
    tables: &impl Tables,
    table: Pfn,
    level: PageTableLevel,
    pages: Range<u64>,
    visit: &mut impl FnMut(Pfn, PageTableLevel),
) {
    for (slot, pte) in used(tables, table, level, &pages) {
        let Some(below) = descend(tables, slot, pte) else {
            continue;
        };
        if below.level != PageTableLevel::One {
            tables_of(tables, below.table, below.level, part(&pages, slot), visit);
        }
        visit(below.table, below.level);
    }
}

/// The part of `pages` that the entry at `slot` translates.
fn part(pages: &Range<u64>, slot: Slot) -> Range<u64> {
    let start = slot.address.as_u64();
    let end = start + slot.level.entry_address_space_alignment();
    start.max(pages.start)..end.min(pages.end)
}

/// The entries of a table, among those that translate `pages`, that have anything in them. Most have nothing, so these are passed over by as
/// little as a read.
#[inline(always)]
fn used(
    tables: &impl Tables,
    table: Pfn,
    level: PageTableLevel,
    pages: &Range<u64>,
) -> impl Iterator<Item = (Slot, Pte)> {
    let reach = level.entry_address_space_alignment();
    let shift = reach.trailing_zeros();
    let first = pages.start >> shift;
    let last = (pages.end + (reach - 1)) >> shift;
    // Of these the table's own first entry.
    let base = first - first % ENTRIES;
    let (mut next, end) = (first - base, last.max(first) - base);
    iter::from_fn(move || {
        let mut pte = nth(tables, table, next, end)?;
        if pte == Pte::EMPTY {
            next = next_used(tables, table, next + 1, end);
            pte = nth(tables, table, next, end)?;
        }
        let start = (base + next) << shift;
        next += 1;
        let slot = Slot {
            table,
            level,
            address: VirtAddr::new_truncate(start),
        };
        Some((slot, pte))
    })
}

/// The number of the first entry from `index` on that has anything in it, `end` if none has. Most of a fork and of an end is spent here.
#[inline(never)]
fn next_used(tables: &impl Tables, table: Pfn, mut index: u64, end: u64) -> u64 {
    while nth(tables, table, index, end) == Some(Pte::EMPTY) {
        index += 1;
    }
    index
}

/// How many entries a table has.
const ENTRIES: u64 = 512;

/// Entry number `index` of a table, if that is before `end`. It is read as if it were of level one, where finding it takes no arithmetic.
#[inline(always)]
fn nth(tables: &impl Tables, table: Pfn, index: u64, end: u64) -> Option<Pte> {
    (index < end).then(|| {
        tables.read(Slot {
            table,
            level: PageTableLevel::One,
            address: VirtAddr::new_truncate(index * PAGE_SIZE),
        })
    })
}
