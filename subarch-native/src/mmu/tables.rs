//! Building page tables: pure logic over memory that somebody else provides.
//!
//! Each step takes the largest page that fits, so that mapping 64 GiB costs no more than a few hundred entries. Frames for
//! new tables and the way to reach a table's memory come in through [`TableMemory`], which is why all this runs on the host
//! as well, under test.

use arch::layout::PAGE_SIZE;
use arch::{FrameRange, Pfn, Pte, VirtAddr};
use core::fmt;
use core::ops::Range;
use x86_64::structures::paging::{PageTableFlags, page_table::PageTableLevel};

/// A page table, as the processor reads it.
pub type Table = [Pte; 512];

/// Memory for page tables.
pub trait TableMemory {
    /// A frame for a new table, with all entries empty.
    fn new_table(&mut self) -> Option<Pfn>;

    /// The table in `frame`, which came from [`new_table`](Self::new_table) or is linked by tables that did.
    fn table(&mut self, frame: Pfn) -> &mut Table;
}

/// Why a mapping could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// There is no memory for another page table.
    OutOfMemory,
    /// Something is mapped at this address already.
    Occupied(VirtAddr),
}

impl fmt::Display for MapError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory => out.write_str("not enough memory for page tables"),
            Self::Occupied(address) => write!(out, "{:#x} is mapped twice", address.as_u64()),
        }
    }
}

/// The sizes of pages a mapping may be made of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LargestPage {
    /// 4 KiB only.
    Small,
    /// 2 MiB where they fit.
    Large,
    /// 1 GiB where they fit, for processors that have them.
    Huge,
}

impl LargestPage {
    /// The level of the tables whose entries map such pages.
    fn level(self) -> PageTableLevel {
        match self {
            Self::Small => PageTableLevel::One,
            Self::Large => PageTableLevel::Two,
            Self::Huge => PageTableLevel::Three,
        }
    }
}

/// A tree of page tables under construction.
#[derive(Debug)]
pub struct Tree<M> {
    root: Pfn,
    memory: M,
    /// Flags that the processor does not know, and that are left out.
    unsupported: PageTableFlags,
}

impl<M: TableMemory> Tree<M> {
    /// The tree under `root`.
    pub fn new(root: Pfn, memory: M, unsupported: PageTableFlags) -> Self {
        Self {
            root,
            memory,
            unsupported,
        }
    }

    /// Maps the pages from `address` on to `frames`, with the rights `flags`, in pages of up to `largest`.
    ///
    /// # Errors
    /// [`MapError`]; what was mapped until then stays.
    pub fn map(
        &mut self,
        mut address: VirtAddr,
        mut frames: FrameRange,
        flags: PageTableFlags,
        largest: LargestPage,
    ) -> Result<(), MapError> {
        while !frames.is_empty() {
            let level = largest_fit(address, frames, largest.level());
            let table = self.table_for(address, level)?;
            let entry = &mut self.memory.table(table)[usize::from(address.page_table_index(level))];
            if entry.is_present() {
                return Err(MapError::Occupied(address));
            }
            *entry = leaf(frames.start, flags - self.unsupported, level);
            address = VirtAddr::new_truncate(address.as_u64().wrapping_add(frames_of(level) * PAGE_SIZE));
            frames.start = frames.start + frames_of(level);
        }
        Ok(())
    }

    /// Maps whole pages to zeroed frames of their own, with the rights `flags`.
    ///
    /// # Errors
    /// [`MapError`]; what was mapped until then stays.
    pub fn back(&mut self, pages: Range<VirtAddr>, flags: PageTableFlags) -> Result<(), MapError> {
        for offset in (0..pages.end - pages.start).step_by(PAGE_SIZE as usize) {
            let frame = self.memory.new_table().ok_or(MapError::OutOfMemory)?;
            let frames = FrameRange::new(frame, frame + 1);
            self.map(pages.start + offset, frames, flags, LargestPage::Small)?;
        }
        Ok(())
    }

    /// Replaces the entry of the 4 KiB page at `address`; a larger page there is split first, and so may be a gap.
    ///
    /// # Errors
    /// [`MapError::OutOfMemory`], with nothing lost but the splits made so far, which change no translation.
    pub fn replace(&mut self, address: VirtAddr, entry: Pte) -> Result<(), MapError> {
        let table = self.table_for(address, PageTableLevel::One)?;
        self.memory.table(table)[usize::from(address.p1_index())] = entry;
        Ok(())
    }

    /// Sees to it that the root has entries for all of `span`, so that whatever is mapped there later changes only tables below it.
    ///
    /// # Errors
    /// [`MapError::OutOfMemory`], with part of the entries made.
    pub fn reserve(&mut self, span: Range<VirtAddr>) -> Result<(), MapError> {
        let step = PageTableLevel::Four.entry_address_space_alignment();
        for offset in (0..span.end - span.start).step_by(step as usize) {
            self.table_for(span.start + offset, PageTableLevel::Three)?;
        }
        Ok(())
    }

    /// The table of `level` on the way to `address`; missing ones are made, and larger pages on the way split.
    fn table_for(&mut self, address: VirtAddr, level: PageTableLevel) -> Result<Pfn, MapError> {
        let mut table = self.root;
        let mut above = PageTableLevel::Four;
        while above > level {
            let index = usize::from(address.page_table_index(above));
            let entry = self.memory.table(table)[index];
            table = match next(entry) {
                Next::Table(frame) => frame,
                Next::Empty => self.link(table, index, |_| Pte::EMPTY)?,
                Next::Page(first) => {
                    let below = above.next_lower_level().unwrap_or(PageTableLevel::One);
                    let flags = entry.flags() - PageTableFlags::HUGE_PAGE;
                    self.link(table, index, |place| {
                        leaf(first + place * frames_of(below), flags, below)
                    })?
                }
            };
            above = above.next_lower_level().unwrap_or(level);
        }
        Ok(table)
    }

    /// Makes a table of the entries that `contents` gives for their places, and links it at `index` of `parent`.
    fn link(&mut self, parent: Pfn, index: usize, contents: impl Fn(u64) -> Pte) -> Result<Pfn, MapError> {
        let frame = self.memory.new_table().ok_or(MapError::OutOfMemory)?;
        for (place, entry) in (0..).zip(self.memory.table(frame).iter_mut()) {
            *entry = contents(place);
        }
        // The rights are those of the leaf: every level above allows everything to the kernel.
        let flags = PageTableFlags::PRESENT | PageTableFlags::WRITABLE;
        self.memory.table(parent)[index] = Pte::from_bits(frame.address() | flags.bits());
        Ok(frame)
    }
}

/// Copies the entries for the upper half of the address space, the kernel's, from one root to another.
///
/// # Safety
/// Both are roots of page tables in the direct map; the second is the caller's to write.
pub unsafe fn copy_upper_half(from: Pfn, to: Pfn) {
    // SAFETY: the caller vouches for both.
    unsafe { copy_half(from.direct().as_ptr(), to.direct().as_mut_ptr()) };
}

/// Copies the second half of a table.
///
/// # Safety
/// Both are the first entries of tables; the second is the caller's to write.
unsafe fn copy_half(from: *const Pte, to: *mut Pte) {
    for index in 256..512 {
        // SAFETY: a table has so many entries, says the caller. The processor may set the accessed bit meanwhile, hence volatile.
        unsafe { to.add(index).write_volatile(from.add(index).read_volatile()) };
    }
}

/// Where an entry above the lowest level leads.
enum Next {
    /// Nowhere.
    Empty,
    /// To the table in this frame.
    Table(Pfn),
    /// To a large page that starts with this frame.
    Page(Pfn),
}

/// Where `entry`, of a table above the lowest level, leads.
fn next(entry: Pte) -> Next {
    let frame = Pfn::containing(entry.bits() & Pte::FRAME_MASK);
    match (entry.is_present(), entry.flags().contains(PageTableFlags::HUGE_PAGE)) {
        (false, _) => Next::Empty,
        (true, false) => Next::Table(frame),
        (true, true) => Next::Page(frame),
    }
}

/// The frame that `address` is translated to under `root`, if any; reads tables only through `table`.
pub fn translate<'a>(root: Pfn, address: VirtAddr, mut table: impl FnMut(Pfn) -> &'a Table) -> Option<Pfn> {
    let mut frame = root;
    let mut level = PageTableLevel::Four;
    loop {
        let entry = table(frame)[usize::from(address.page_table_index(level))];
        frame = match (next(entry), level) {
            (Next::Empty, _) => return None,
            (Next::Table(frame) | Next::Page(frame), PageTableLevel::One) => return Some(frame),
            (Next::Table(frame), _) => frame,
            (Next::Page(first), _) => return Some(first + address.as_u64() / PAGE_SIZE % frames_of(level)),
        };
        level = level.next_lower_level()?;
    }
}

/// How many frames an entry of a table of `level` maps.
fn frames_of(level: PageTableLevel) -> u64 {
    level.entry_address_space_alignment() / PAGE_SIZE
}

/// The highest level, up to `limit`, at which one entry maps the start of `frames` at `address`.
fn largest_fit(address: VirtAddr, frames: FrameRange, limit: PageTableLevel) -> PageTableLevel {
    let page = address.as_u64() / PAGE_SIZE;
    [PageTableLevel::Three, PageTableLevel::Two]
        .into_iter()
        .filter(|level| *level <= limit)
        .find(|level| (page | frames.start.0).is_multiple_of(frames_of(*level)) && frames.len() >= frames_of(*level))
        .unwrap_or(PageTableLevel::One)
}

/// The entry that maps the page at `first` in a table of `level`.
fn leaf(first: Pfn, flags: PageTableFlags, level: PageTableLevel) -> Pte {
    let size = match level {
        PageTableLevel::One => PageTableFlags::empty(),
        _ => PageTableFlags::HUGE_PAGE,
    };
    Pte::from_bits(first.address() | (flags | size).bits())
}

#[cfg(test)]
mod tests;
