//! The bookkeeping of an address space: which pages a program has, and what it may do with them.
//!
//! Page tables cannot be this memory. They know nothing of a page that was never touched, and a program may own gigabytes of
//! those. So what a program was *promised* is kept here, as few and as long ranges as possible, and the page tables are
//! filled from it fault by fault. Whether an access was a program's right is decided by [`Regions::find`], and by nothing else.

mod error;

pub use super::access::UserAccess;
use alloc::collections::BTreeMap;
use arch::layout::{PAGE_SIZE, USER_END};
use core::ops::Range;
pub use error::RegionError;

/// The lowest address a program can have: pointers near null must fault, and Linux's `vm.mmap_min_addr` leaves as much free.
pub const LOWEST: u64 = 0x1_0000;

/// How many regions an address space may have, as Linux's `vm.max_map_count` by default.
pub const MAX_REGIONS: usize = 65_530;

/// Adjoining pages with the same rights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// Their addresses, in bytes; both ends are multiples of the page size.
    pub pages: Range<u64>,
    /// What the program may do with them.
    pub access: UserAccess,
}

/// All pages of a program, as disjoint regions of which no two adjoining ones have the same rights.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Regions {
    /// By first address.
    spans: BTreeMap<u64, Span>,
}

/// A region without its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    end: u64,
    access: UserAccess,
}

impl Regions {
    /// A program without memory.
    pub const fn new() -> Self {
        Self { spans: BTreeMap::new() }
    }

    /// The region that `address` lies in.
    pub fn find(&self, address: u64) -> Option<Region> {
        let (start, span) = self.spans.range(..=address).next_back()?;
        (address < span.end).then(|| region(*start, *span))
    }

    /// Adds `pages`, none of which the program has yet.
    ///
    /// # Errors
    /// [`RegionError`], also [`TooMany`](RegionError::TooMany) if there is no room even though the pages could be joined to a
    /// neighbour. Nothing has changed then.
    pub fn insert(&mut self, pages: Range<u64>, access: UserAccess) -> Result<(), RegionError> {
        check_pages(&pages)?;
        check_access(access)?;
        if let Some(taken) = self.overlapping(&pages).next() {
            return Err(RegionError::Overlaps(taken.pages.start.max(pages.start)));
        }
        self.check_room(1)?;
        self.put(pages, access);
        Ok(())
    }

    /// The start of the highest range of free pages that has `length` bytes, which are rounded up to whole pages. `None` if there
    /// is none, or for no bytes at all.
    pub fn gap(&self, length: u64) -> Option<u64> {
        let length = length
            .checked_next_multiple_of(PAGE_SIZE)
            .filter(|length| *length > 0)?;
        let mut top = USER_END;
        for (start, span) in self.spans.iter().rev() {
            if top - span.end >= length {
                break;
            }
            top = *start;
        }
        top.checked_sub(length).filter(|start| *start >= LOWEST)
    }

    /// Takes `pages` away; those the program does not have are no error, as with `munmap`.
    ///
    /// # Errors
    /// [`RegionError`] if they are no pages of programs, or a region would have to be cut in two and there are
    /// [too many](RegionError::TooMany). Nothing has changed then.
    pub fn remove(&mut self, pages: Range<u64>) -> Result<(), RegionError> {
        check_pages(&pages)?;
        let cuts_in_two = |region: Region| region.pages.start < pages.start && pages.end < region.pages.end;
        self.check_room(self.find(pages.start).is_some_and(cuts_in_two).into())?;
        self.clear(&pages);
        Ok(())
    }

    /// Changes what the program may do with `pages`, all of which it must have.
    ///
    /// # Errors
    /// [`RegionError`], also [`TooMany`](RegionError::TooMany) if there is no room for the pieces even though they could be joined to
    /// a neighbour. Nothing has changed then.
    pub fn protect(&mut self, pages: Range<u64>, access: UserAccess) -> Result<(), RegionError> {
        check_pages(&pages)?;
        check_access(access)?;
        if let Some(hole) = self.first_hole(&pages) {
            return Err(RegionError::NotMapped(hole));
        }
        self.check_room(usize::from(self.is_within(pages.start)) + usize::from(self.is_within(pages.end)))?;
        self.clear(&pages);
        self.put(pages, access);
        Ok(())
    }

    /// All regions, by ascending addresses.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Region> + '_ {
        self.spans.iter().map(|(start, span)| region(*start, *span))
    }

    /// How many regions there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the program has no memory.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many pages the program was promised, touched or not.
    pub fn pages(&self) -> u64 {
        self.spans
            .iter()
            .map(|(start, span)| (span.end - start) / PAGE_SIZE)
            .sum()
    }

    /// The regions that have pages in `pages`.
    fn overlapping(&self, pages: &Range<u64>) -> impl Iterator<Item = Region> + use<'_> {
        let first = self.find(pages.start).map_or(pages.start, |region| region.pages.start);
        self.spans
            .range(first..pages.end)
            .map(|(start, span)| region(*start, *span))
    }

    fn first_hole(&self, pages: &Range<u64>) -> Option<u64> {
        let mut covered = pages.start;
        for region in self.overlapping(pages) {
            if region.pages.start > covered {
                break;
            }
            covered = region.pages.end;
        }
        (covered < pages.end).then_some(covered)
    }

    /// Whether `address` is inside of a region, not at its start.
    fn is_within(&self, address: u64) -> bool {
        self.find(address).is_some_and(|region| region.pages.start < address)
    }

    fn check_room(&self, added: usize) -> Result<(), RegionError> {
        if self.len() + added > MAX_REGIONS {
            return Err(RegionError::TooMany);
        }
        Ok(())
    }

    /// Adds pages that are free.
    fn put(&mut self, pages: Range<u64>, access: UserAccess) {
        self.spans.insert(pages.start, Span { end: pages.end, access });
        self.join(pages.start);
        self.join(pages.end);
    }

    /// Makes `pages` free.
    fn clear(&mut self, pages: &Range<u64>) {
        self.cut(pages.start);
        self.cut(pages.end);
        while let Some((&start, _)) = self.spans.range(pages.clone()).next() {
            self.spans.remove(&start);
        }
    }

    /// Makes `address` a border between two regions, if it is inside of one.
    fn cut(&mut self, address: u64) {
        if let Some((start, before)) = self.spans.range_mut(..address).next_back()
            && *start < address
            && address < before.end
        {
            let after = *before;
            before.end = address;
            self.spans.insert(address, after);
        }
    }

    /// Makes the regions that touch at `address` one, if they have the same rights.
    fn join(&mut self, address: u64) {
        if let Some(after) = self.spans.get(&address).copied()
            && let Some((_, before)) = self.spans.range_mut(..address).next_back()
            && before.end == address
            && before.access == after.access
        {
            before.end = after.end;
            self.spans.remove(&address);
        }
    }
}

fn region(start: u64, span: Span) -> Region {
    Region {
        pages: start..span.end,
        access: span.access,
    }
}

fn check_pages(pages: &Range<u64>) -> Result<(), RegionError> {
    let is_unaligned = |address: &u64| !address.is_multiple_of(PAGE_SIZE);
    if let Some(odd) = [pages.start, pages.end].into_iter().find(is_unaligned) {
        return Err(RegionError::Unaligned(odd));
    }
    if pages.is_empty() {
        return Err(RegionError::Empty);
    }
    if pages.start < LOWEST || pages.end > USER_END {
        return Err(RegionError::OutOfBounds(pages.clone()));
    }
    Ok(())
}

fn check_access(access: UserAccess) -> Result<(), RegionError> {
    if access.is_write_and_execute() {
        return Err(RegionError::WriteAndExecute);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
