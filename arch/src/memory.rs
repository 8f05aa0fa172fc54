//! Frames, and the map of those that are usable.
//!
//! The core counts memory in *pseudo-physical* frames: a numbering of its own that starts at 0 and has few holes. On bare
//! metal a [`Pfn`] is the frame number the processor uses, under Xen the hypervisor's machine frames are another numbering
//! altogether. Only a platform translates, and only inside [`Pte`](crate::Pte).
//!
//! Firmware and loaders describe memory in lists that overlap, touch, come in any order and end in the middle of a page.
//! [`MemoryMap`] accepts all that and is always sorted, disjoint and whole pages, so that nobody else has to care.

use crate::layout::{PAGE_SIZE, direct};
use core::fmt;
use core::ops::{Add, Range};
use x86_64::VirtAddr;

/// The number of a frame in the kernel's own counting (pseudo-physical under Xen, physical elsewhere).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Pfn(pub u64);

impl Pfn {
    /// The frame that contains byte `address` of memory.
    #[inline(always)]
    pub const fn containing(address: u64) -> Self {
        Self(address / PAGE_SIZE)
    }

    /// The address of the frame's first byte in memory.
    #[inline(always)]
    pub const fn address(self) -> u64 {
        self.0 * PAGE_SIZE
    }

    /// Where the direct map shows the frame.
    #[inline(always)]
    pub const fn direct(self) -> VirtAddr {
        direct(self.address())
    }
}

impl Add<u64> for Pfn {
    type Output = Self;

    #[inline(always)]
    fn add(self, frames: u64) -> Self {
        Self(self.0 + frames)
    }
}

/// Frames from `start` up to, and without, `end`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameRange {
    /// The first frame.
    pub start: Pfn,
    /// The first frame behind.
    pub end: Pfn,
}

impl FrameRange {
    /// The range from `start` to before `end`.
    pub const fn new(start: Pfn, end: Pfn) -> Self {
        Self { start, end }
    }

    /// The frames that lie wholly within `bytes`: what may be used of memory that is described in bytes.
    pub const fn inside(bytes: Range<u64>) -> Self {
        Self::new(Pfn(bytes.start.div_ceil(PAGE_SIZE)), Pfn(bytes.end / PAGE_SIZE))
    }

    /// The frames that `bytes` touch: what must be kept out of use for something that is described in bytes.
    pub const fn covering(bytes: Range<u64>) -> Self {
        Self::new(Pfn(bytes.start / PAGE_SIZE), Pfn(bytes.end.div_ceil(PAGE_SIZE)))
    }

    /// How many frames it has.
    pub const fn len(&self) -> u64 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The frames that both have.
    pub fn intersection(&self, other: &Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Its frames in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Pfn> + use<> {
        (self.start.0..self.end.0).map(Pfn)
    }
}

impl fmt::Display for FrameRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#x}..{:#x}", self.start.address(), self.end.address())
    }
}

impl fmt::Debug for FrameRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// How many separate ranges a [`MemoryMap`] can hold. The firmware of large machines reports about 60.
pub const MAX_RANGES: usize = 128;

/// The map has more holes than [`MAX_RANGES`]: the request changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooManyRanges;

impl fmt::Display for TooManyRanges {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the memory map is in more than {MAX_RANGES} pieces")
    }
}

/// A set of frames as sorted, disjoint ranges that do not touch each other.
#[derive(Clone, PartialEq, Eq)]
pub struct MemoryMap {
    ranges: [FrameRange; MAX_RANGES],
    used: usize,
}

impl MemoryMap {
    /// The empty set.
    pub const fn new() -> Self {
        Self {
            ranges: [FrameRange::new(Pfn(0), Pfn(0)); MAX_RANGES],
            used: 0,
        }
    }

    /// The ranges in ascending order.
    pub fn ranges(&self) -> &[FrameRange] {
        &self.ranges[..self.used]
    }

    /// How many frames are in the set.
    pub fn frames(&self) -> u64 {
        self.ranges().iter().map(FrameRange::len).sum()
    }

    /// The first frame behind all frames of the set.
    pub fn end(&self) -> Pfn {
        self.ranges().last().map_or(Pfn(0), |range| range.end)
    }

    /// Adds `range`, joined with whatever it overlaps or touches.
    ///
    /// # Errors
    /// [`TooManyRanges`] if it stands alone and there is no room.
    pub fn insert(&mut self, range: FrameRange) -> Result<(), TooManyRanges> {
        if range.is_empty() {
            return Ok(());
        }
        let first = self.ranges().partition_point(|old| old.end < range.start);
        let behind = self.ranges().partition_point(|old| old.start <= range.end);
        let mut joined = range;
        for old in &self.ranges[first..behind] {
            joined = FrameRange::new(joined.start.min(old.start), joined.end.max(old.end));
        }
        self.splice(first..behind, &[joined])
    }

    /// Takes `range` out, whether or not its frames are in the set.
    ///
    /// # Errors
    /// [`TooManyRanges`] if that splits a range in two and there is no room.
    pub fn remove(&mut self, range: FrameRange) -> Result<(), TooManyRanges> {
        let first = self.ranges().partition_point(|old| old.end <= range.start);
        let behind = self.ranges().partition_point(|old| old.start < range.end);
        if range.is_empty() || first >= behind {
            return Ok(());
        }
        let head = FrameRange::new(self.ranges[first].start, range.start);
        let tail = FrameRange::new(range.end, self.ranges[behind - 1].end);
        match (head.is_empty(), tail.is_empty()) {
            (true, true) => self.splice(first..behind, &[]),
            (false, true) => self.splice(first..behind, &[head]),
            (true, false) => self.splice(first..behind, &[tail]),
            (false, false) => self.splice(first..behind, &[head, tail]),
        }
    }

    /// Takes `count` adjoining frames out of the set, the lowest there are that lie below `limit`.
    ///
    /// This is the allocator of the boot code, before there is another.
    pub fn take(&mut self, count: u64, limit: Pfn) -> Option<Pfn> {
        let range = self
            .ranges()
            .iter()
            .find(|range| range.len() >= count && range.start.0 + count <= limit.0)?;
        let start = range.start;
        // Taking the front of a range never splits it, so there is always room.
        self.remove(FrameRange::new(start, start + count)).ok()?;
        Some(start)
    }

    /// Replaces the ranges `old` by `new`.
    fn splice(&mut self, old: Range<usize>, new: &[FrameRange]) -> Result<(), TooManyRanges> {
        let used = self.used - old.len() + new.len();
        if used > MAX_RANGES {
            return Err(TooManyRanges);
        }
        self.ranges.copy_within(old.end..self.used, old.start + new.len());
        self.ranges[old.start..old.start + new.len()].copy_from_slice(new);
        self.used = used;
        Ok(())
    }
}

impl Default for MemoryMap {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryMap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.ranges()).finish()
    }
}

#[cfg(test)]
mod tests;
