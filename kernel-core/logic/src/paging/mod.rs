//! Walking and changing a tree of page tables, whoever holds the pen.
//!
//! A walk is the same on every platform; reading, writing and giving over a table is not. [`Tables`] is the seam: the kernel
//! puts its platform behind it, the tests an array.

mod leaf;
mod visit;

use arch::layout::PAGE_SIZE;
use arch::{PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::fmt;
pub use leaf::{leaf, leaf_flags, leaf_frame};
pub use visit::{leaves, tables_below};

/// What may be done with a page. There is no way to say "write and execute".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
    /// Reading and executing.
    Execute,
}

impl Access {
    /// The flags of a kernel page with this access.
    pub const fn flags(self) -> PageTableFlags {
        let present = PageTableFlags::PRESENT.union(PageTableFlags::GLOBAL);
        match self {
            Self::Read => present.union(PageTableFlags::NO_EXECUTE),
            Self::Write => present
                .union(PageTableFlags::NO_EXECUTE)
                .union(PageTableFlags::WRITABLE),
            Self::Execute => present,
        }
    }

    /// The access that an entry with `flags` gives; `None` if it gives both writing and executing.
    pub fn of(flags: PageTableFlags) -> Option<Self> {
        match (
            flags.contains(PageTableFlags::WRITABLE),
            flags.contains(PageTableFlags::NO_EXECUTE),
        ) {
            (false, true) => Some(Self::Read),
            (true, true) => Some(Self::Write),
            (false, false) => Some(Self::Execute),
            (true, false) => None,
        }
    }
}

/// A request that the page tables cannot follow. Nothing has changed but that tables may have been added for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// The address is not that of a page's first byte.
    Unaligned(VirtAddr),
    /// The address lies outside what the caller may map.
    OutOfBounds(VirtAddr),
    /// There is a page already.
    AlreadyMapped(VirtAddr),
    /// There is no page.
    NotMapped(VirtAddr),
    /// The page is part of a large one.
    LargePage(VirtAddr),
    /// The frame is not memory of this machine.
    NoSuchFrame(Pfn),
    /// No frame is left for a page table.
    OutOfMemory,
}

impl fmt::Display for MapError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unaligned(address) => write!(out, "{address:#x} is not the start of a page"),
            Self::OutOfBounds(address) => write!(out, "{address:#x} is outside the kernel's mappings"),
            Self::AlreadyMapped(address) => write!(out, "{address:#x} is mapped already"),
            Self::NotMapped(address) => write!(out, "{address:#x} is not mapped"),
            Self::LargePage(address) => write!(out, "{address:#x} is part of a large page"),
            Self::NoSuchFrame(frame) => write!(out, "frame {:#x} is not memory of this machine", frame.0),
            Self::OutOfMemory => write!(out, "no memory for a page table"),
        }
    }
}

/// Access to page tables.
pub trait Tables {
    /// The flags of an entry that leads to a table. What they forbid is forbidden in all pages below (Intel SDM, vol. 3, 4.6), so
    /// they allow everything, except that the tables of a kernel keep programs out; those of an address space of user mode add
    /// [`USER_ACCESSIBLE`](PageTableFlags::USER_ACCESSIBLE).
    const TABLE_FLAGS: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::WRITABLE);

    /// Reads an entry of a table of the tree.
    fn read(&self, slot: Slot) -> Pte;

    /// Writes an entry of a table of the tree.
    fn write(&mut self, slot: Slot, pte: Pte);

    /// The entry for a frame.
    fn entry(&self, frame: Pfn, flags: PageTableFlags) -> Pte;

    /// The frame of an entry, if it is one the kernel knows.
    fn frame(&self, pte: Pte) -> Option<Pfn>;

    /// An empty table of `level`, given over and ready to be entered; `None` if memory is out.
    fn new_table(&mut self, level: PageTableLevel) -> Option<Pfn>;
}

/// Where a walk ended: at the entry that maps the address, or at the one that stopped it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walk {
    /// The last entry looked at.
    pub slot: Slot,
    /// Its value.
    pub pte: Pte,
}

impl Walk {
    /// Whether the address is mapped, by a page of whatever size.
    pub fn is_mapped(&self) -> bool {
        self.pte.is_present()
    }
}

/// Follows the translation of `address` from `root` down.
#[inline(always)]
pub fn walk(tables: &impl Tables, root: Pfn, address: VirtAddr) -> Walk {
    way_down(tables, root, address).unwrap_or_else(|end| end)
}

/// The entry of level one for `address`, or the one above it at which the way ends.
#[inline(always)]
fn way_down(tables: &impl Tables, root: Pfn, address: VirtAddr) -> Result<Walk, Walk> {
    let three = below(tables, top(root, address))?;
    let two = below(tables, three)?;
    let slot = below(tables, two)?;
    let pte = tables.read(slot);
    Ok(Walk { slot, pte })
}

/// The entry for `address` in the root.
#[inline(always)]
fn top(root: Pfn, address: VirtAddr) -> Slot {
    Slot {
        table: root,
        level: PageTableLevel::Four,
        address,
    }
}

/// The entry below that at `slot`, if there is a table.
#[inline(always)]
fn below(tables: &impl Tables, slot: Slot) -> Result<Slot, Walk> {
    let pte = tables.read(slot);
    descend(tables, slot, pte).ok_or(Walk { slot, pte })
}

/// Maps `page` to `frame`, adding tables where they are missing.
///
/// # Errors
/// [`MapError`] if the page is mapped, the address is no page's, or memory for tables is out.
pub fn map(tables: &mut impl Tables, root: Pfn, page: VirtAddr, frame: Pfn, access: Access) -> Result<Slot, MapError> {
    let slot = make_way(tables, root, page)?;
    if tables.read(slot).is_present() {
        return Err(MapError::AlreadyMapped(page));
    }
    tables.write(slot, tables.entry(frame, access.flags()));
    Ok(slot)
}

/// Removes the mapping of `page`; the caller flushes. Returns the frame it mapped, if that is one the kernel knows.
///
/// # Errors
/// [`MapError`] if it is not mapped, or not by a small page.
pub fn unmap(tables: &mut impl Tables, root: Pfn, page: VirtAddr) -> Result<Option<Pfn>, MapError> {
    let found = small_page(tables, root, page)?;
    tables.write(found.slot, Pte::EMPTY);
    Ok(tables.frame(found.pte))
}

/// Changes what may be done with `page`; the caller flushes.
///
/// # Errors
/// [`MapError`] if it is not mapped, or not by a small page, or not to a frame the kernel knows.
pub fn protect(tables: &mut impl Tables, root: Pfn, page: VirtAddr, access: Access) -> Result<(), MapError> {
    let found = small_page(tables, root, page)?;
    let frame = tables.frame(found.pte).ok_or(MapError::NotMapped(page))?;
    tables.write(found.slot, tables.entry(frame, access.flags()));
    Ok(())
}

/// The entry of level one for `page`, with all tables above it in place.
///
/// It looks at entries as they are in memory. So who collects writes ([`LazyMmu`](arch::LazyMmu)) has them made before the next
/// call, or the same table would be added twice.
///
/// # Errors
/// [`MapError`] if the page is part of a large one, the address is no page's, or memory for tables is out.
pub fn make_way(tables: &mut impl Tables, root: Pfn, page: VirtAddr) -> Result<Slot, MapError> {
    if !page.is_aligned(PAGE_SIZE) {
        return Err(MapError::Unaligned(page));
    }
    let three = table_below(tables, top(root, page), PageTableLevel::Three)?;
    let two = table_below(tables, three, PageTableLevel::Two)?;
    table_below(tables, two, PageTableLevel::One)
}

/// The entry below that at `slot`, in a table of `level` that is added if there is none.
#[inline(always)]
fn table_below(tables: &mut impl Tables, slot: Slot, level: PageTableLevel) -> Result<Slot, MapError> {
    let pte = tables.read(slot);
    let address = slot.address;
    if pte.is_present() {
        return descend(tables, slot, pte).ok_or(MapError::LargePage(address));
    }
    // In words, which the hot way need not gather in memory for the rare one.
    let table = add_table(tables, slot.table, slot.level, address)?;
    Ok(Slot { table, level, address })
}

/// Enters a new table in the entry for `address` of `parent`, which is of `level`.
#[cold]
#[inline(never)]
fn add_table<T: Tables>(
    tables: &mut T,
    parent: Pfn,
    level: PageTableLevel,
    address: VirtAddr,
) -> Result<Pfn, MapError> {
    let below = level.next_lower_level().expect("a page has no table below");
    let table = tables.new_table(below).ok_or(MapError::OutOfMemory)?;
    let slot = Slot {
        table: parent,
        level,
        address,
    };
    tables.write(slot, tables.entry(table, T::TABLE_FLAGS));
    Ok(table)
}

#[inline(always)]
fn small_page(tables: &impl Tables, root: Pfn, page: VirtAddr) -> Result<Walk, MapError> {
    if !page.is_aligned(PAGE_SIZE) {
        return Err(MapError::Unaligned(page));
    }
    let found = walk(tables, root, page);
    match (found.pte.is_present(), found.slot.level) {
        (false, _) => Err(MapError::NotMapped(page)),
        (true, PageTableLevel::One) => Ok(found),
        (true, _) => Err(MapError::LargePage(page)),
    }
}

/// The entry one level further down, if `pte` leads to a table.
#[inline(always)]
fn descend(tables: &impl Tables, slot: Slot, pte: Pte) -> Option<Slot> {
    let leaf = slot.level == PageTableLevel::One || pte.flags().contains(PageTableFlags::HUGE_PAGE);
    if leaf || !pte.is_present() {
        return None;
    }
    Some(Slot {
        table: tables.frame(pte)?,
        level: slot.level.next_lower_level()?,
        address: slot.address,
    })
}

#[cfg(test)]
mod tests;
