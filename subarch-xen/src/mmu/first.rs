//! The first page tables of our own.
//!
//! Xen starts a guest on tables that map everything from the image's base on, writable and executable. They are good for one
//! thing, to build better ones: the image with the rights each part deserves and its stack's guard page left out, and the
//! beginning of the direct map, enough for the core to get going. The rest of memory is mapped when the core first needs it,
//! since each 4 KiB page costs Xen an entry to validate.
//!
//! The new tables are written like any memory, then made read-only in *both* mappings, for Xen accepts no table that its
//! guest can write anywhere; then pinned, loaded, and the old tables are given up and become ordinary memory.

use super::ROOT;
use super::direct::{Right, protect};
use super::tree::{ENTRIES, TABLE, WRITABLE_DATA, chunks, clear, descend, fill, read};
use crate::event::SHARED_INFO;
use crate::hypercall::mmu::{Extended, Invalidate, Mfn, extended, update_va_mapping};
use crate::hypercall::{Granted, Refused};
use crate::start_info::{Malformed, StartInfo};
use crate::{Xen, p2m, view};
use arch::image::{self, Segment};
use arch::layout::{IMAGE_BASE, PAGE_SIZE};
use arch::{FrameRange, MemoryMap, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::sync::atomic::Ordering::Relaxed;

/// How much memory is in the direct map at the least when the core starts.
const FIRST_PART: u64 = 32 << 20;

/// What the core may use.
#[derive(Debug)]
pub struct Memory {
    /// The frames that are free.
    pub free: MemoryMap,
    /// Frames below are in the direct map.
    pub direct_below: Pfn,
}

/// Builds new tables and moves to them.
///
/// # Safety
/// Called once, on Xen's first tables, by code on a stack in the image; `free` has only frames that nobody uses.
/// Nothing outside the image is referred to by address.
pub unsafe fn replace_tables(start_info: &StartInfo, mut free: MemoryMap, guard: VirtAddr) -> Memory {
    let direct_below = direct_end(start_info.mapped_below(), start_info.frames);
    let mut builder = Builder::new(&mut free, start_info.mapped_below());
    builder.map_image(guard);
    builder.set(
        VirtAddr::from_ptr(&raw const SHARED_INFO),
        shared_info_entry(start_info),
    );
    builder.map_directly(FrameRange::new(Pfn(0), direct_below));
    builder.protect_directly(start_info.tables());
    let (root, tables) = builder.finish();
    // SAFETY: the tables map the image as it was linked, all frames in use below the limit, and the shared page.
    unsafe { move_to(root, &tables, start_info.tables()) };
    reclaim(start_info.tables(), &mut free);
    Memory { free, direct_below }
}

/// Where the first part of the direct map ends: not before the end of what is `in_use`, at a table's end, within memory.
fn direct_end(in_use: Pfn, frames: u64) -> Pfn {
    let end = in_use.0.max(FIRST_PART / PAGE_SIZE).next_multiple_of(ENTRIES);
    Pfn(end.min(frames))
}

/// A tree that is being built, in frames that Xen's first mapping shows.
struct Builder<'a> {
    free: &'a mut MemoryMap,
    mapped_below: Pfn,
    root: Pfn,
    tables: MemoryMap,
}

impl<'a> Builder<'a> {
    /// A tree with an empty root.
    fn new(free: &'a mut MemoryMap, mapped_below: Pfn) -> Self {
        let mut builder = Self {
            free,
            mapped_below,
            root: Pfn(0),
            tables: MemoryMap::new(),
        };
        builder.root = builder.new_table();
        builder
    }

    /// An empty table.
    fn new_table(&mut self) -> Pfn {
        let table = self
            .free
            .take(1, self.mapped_below)
            .expect("the first mapping has room for tables");
        self.tables
            .insert(FrameRange::new(table, table + 1))
            .expect("tables lie close together");
        clear(table);
        table
    }

    /// Maps the image with the rights of its segments, and `guard` not at all.
    fn map_image(&mut self, guard: VirtAddr) {
        for Segment { pages, flags, .. } in image::segments() {
            let mut page = pages.start;
            while page < pages.end {
                if page != guard {
                    let frame = p2m::image_frame(page.as_u64());
                    self.set(page, Xen::pte(frame, flags));
                }
                page += PAGE_SIZE;
            }
        }
    }

    /// Maps `frames` in the direct map, all of them writable for now.
    fn map_directly(&mut self, frames: FrameRange) {
        for chunk in chunks(frames) {
            let slot = self.slot(chunk.start.direct(), PageTableLevel::Two);
            let table = self.new_table();
            fill(table, chunk);
            write(slot, Xen::pte(table, TABLE));
        }
    }

    /// Makes read-only in the direct map what must not be written through it: page tables, code and constants.
    fn protect_directly(&mut self, old_tables: FrameRange) {
        for range in self.tables.clone().ranges() {
            self.protect(*range);
        }
        self.protect(old_tables);
        for Segment { pages, flags, .. } in image::segments() {
            if !flags.contains(PageTableFlags::WRITABLE) {
                let frame = |page: VirtAddr| p2m::image_frame(page.as_u64());
                self.protect(FrameRange::new(frame(pages.start), frame(pages.end)));
            }
        }
    }

    /// Makes `frames` read-only in the direct map.
    fn protect(&mut self, frames: FrameRange) {
        for frame in frames.iter() {
            self.set(frame.direct(), Xen::pte(frame, READ_ONLY_DATA));
        }
    }

    /// Writes the entry that maps `page`.
    fn set(&mut self, page: VirtAddr, entry: Pte) {
        let slot = self.slot(page, PageTableLevel::One);
        write(slot, entry);
    }

    /// The entry of `level` (1 or 2) that translates `address`; tables above are made as needed.
    fn slot(&mut self, address: VirtAddr, level: PageTableLevel) -> Slot {
        let root = self.root;
        let add = |slot| {
            let table = self.new_table();
            write(slot, Xen::pte(table, TABLE));
            Some(table)
        };
        let directory = descend(root, address, add).expect("missing tables are added");
        let slot = Slot {
            table: directory,
            level: PageTableLevel::Two,
            address,
        };
        if level == PageTableLevel::Two {
            return slot;
        }
        let entry = read(slot);
        let table = if entry.is_present() {
            Xen::frame(entry).expect("the tables are in our own memory")
        } else {
            let table = self.new_table();
            write(slot, Xen::pte(table, TABLE));
            table
        };
        Slot { table, level, address }
    }

    /// The root, and all tables of the tree.
    fn finish(self) -> (Pfn, MemoryMap) {
        (self.root, self.tables)
    }
}

/// The rights to a page table, to code and to constants in the direct map.
const READ_ONLY_DATA: PageTableFlags = WRITABLE_DATA.difference(PageTableFlags::WRITABLE);

/// Writes an entry of a table that is not in use: a store like any other, and the reason why all this is done beforehand.
fn write(slot: Slot, entry: Pte) {
    // SAFETY: the builder's tables are private and in view; the index is below 512.
    unsafe { view::of(slot.table).cast::<Pte>().add(slot.index()).write(entry) };
}

/// Moves to the tree at `root`, consisting of `tables`, and gives up the `old` one.
///
/// # Safety
/// The tree maps all that is in use, the image where it is, and its own tables and the old ones read-only.
unsafe fn move_to(root: Pfn, tables: &MemoryMap, old: FrameRange) {
    for table in tables.ranges().iter().flat_map(FrameRange::iter) {
        let entry = Xen::pte(table, READ_ONLY_DATA).bits();
        // SAFETY: from now on the tables are only read.
        unsafe { update_va_mapping(IMAGE_BASE + table.address(), entry, Invalidate::Here) }.granted();
    }
    // SAFETY: the caller vouches for the tree; nothing uses the old one any more.
    unsafe {
        extended([Extended::PinRoot(p2m::machine(root))]).granted();
        extended([Extended::NewBase(p2m::machine(root))]).granted();
        view::through_direct_map();
        extended([Extended::Unpin(p2m::machine(old.start))]).granted();
    }
    ROOT.store(root.address(), Relaxed);
}

/// Makes the old tables ordinary memory.
fn reclaim(old: FrameRange, free: &mut MemoryMap) {
    for frame in old.iter() {
        protect(frame, Right::Write);
    }
    free.insert(old).expect("they fill a hole");
}

/// Makes [`show`] possible before anything else is done.
///
/// # Errors
/// [`Malformed`].
///
/// # Safety
/// `start_info` is Xen's, and the first mapping is in use.
pub unsafe fn learn_frames(start_info: *const StartInfo) -> Result<(), Malformed> {
    // SAFETY: it is Xen's, on a page of its own in the first mapping.
    let start_info = unsafe { &*start_info };
    start_info.check()?;
    super::learn_flags();
    // SAFETY: it was checked.
    unsafe { p2m::adopt(start_info) };
    Ok(())
}

/// Shows in the page at `place` of the image what is in the page at `page` of it, with these rights.
///
/// # Errors
/// [`Refused`]: Xen's answer.
///
/// # Safety
/// Nobody has a reference that this breaks; the first mapping is in use.
pub unsafe fn show(place: VirtAddr, page: VirtAddr, flags: PageTableFlags) -> Result<(), Refused> {
    let entry = Xen::pte(p2m::image_frame(page.as_u64()), flags);
    // SAFETY: the caller vouches for the translation.
    unsafe { update_va_mapping(place.as_u64(), entry.bits(), Invalidate::Here) }.map(drop)
}

/// Shows Xen's shared page at its place in the image while the first tables are still in use.
///
/// # Safety
/// `start_info` is Xen's, and nothing uses the shared page's place yet.
pub unsafe fn show_shared_info(start_info: &StartInfo) {
    let place = &raw const SHARED_INFO as u64;
    let entry = shared_info_entry(start_info);
    // SAFETY: the place is a page of its own in the image's data, and its contents so far mean nothing.
    unsafe { update_va_mapping(place, entry.bits(), Invalidate::Here) }.granted();
}

/// The entry that maps Xen's shared page.
fn shared_info_entry(start_info: &StartInfo) -> Pte {
    super::foreign(Mfn(start_info.shared_info / PAGE_SIZE), WRITABLE_DATA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_holds_all_that_is_in_use_and_ends_with_a_table() {
        assert_eq!(direct_end(Pfn(0x300), 131_072), Pfn(8192));
        assert_eq!(direct_end(Pfn(8193), 131_072), Pfn(8704));
        assert_eq!(direct_end(Pfn(8192), 131_072), Pfn(8192));
    }

    #[test]
    fn a_small_domain_is_mapped_whole() {
        assert_eq!(direct_end(Pfn(0x300), 8192), Pfn(8192));
        assert_eq!(direct_end(Pfn(0x300), 5000), Pfn(5000));
    }
}
