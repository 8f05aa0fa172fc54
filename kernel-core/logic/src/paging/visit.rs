//! Going through the part of a tree of page tables that belongs to a program.
//!
//! A fork, a change of rights and the end of a process concern whole ranges of addresses, most of which have no pages. Looking
//! each page up from the root would take four reads for every one that is not there; going through the tables themselves passes over
//! a gigabyte without pages by one look.

use super::leaf::has_page;
use super::{Tables, descend};
use arch::layout::{PAGE_SIZE, USER_END};
use arch::{PageTableLevel, Pfn, Pte, Slot, VirtAddr};
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
    for (slot, pte, part) in used(tables, table, level, pages) {
        match descend(tables, slot, pte) {
            Some(below) => leaves_of(tables, below.table, below.level, part, visit),
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
    for (slot, pte, part) in used(tables, table, level, pages) {
        let Some(below) = descend(tables, slot, pte) else {
            continue;
        };
        if below.level != PageTableLevel::One {
            tables_of(tables, below.table, below.level, part, visit);
        }
        visit(below.table, below.level);
    }
}

/// The entries of a table that have anything in them, each with the part of `pages` that it translates. Most have nothing, so these
/// are passed over by as little as a read.
#[inline(always)]
fn used(
    tables: &impl Tables,
    table: Pfn,
    level: PageTableLevel,
    pages: Range<u64>,
) -> impl Iterator<Item = (Slot, Pte, Range<u64>)> {
    let reach = level.entry_address_space_alignment();
    let shift = reach.trailing_zeros();
    let numbers = pages.start >> shift..(pages.end + (reach - 1)) >> shift;
    numbers.filter_map(move |number| {
        let start = number << shift;
        let slot = Slot {
            table,
            level,
            address: VirtAddr::new_truncate(start),
        };
        let pte = tables.read(slot);
        let part = start.max(pages.start)..(start + reach).min(pages.end);
        (pte != Pte::EMPTY).then_some((slot, pte, part))
    })
}
