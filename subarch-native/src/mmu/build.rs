//! The kernel's own page tables, built while it still runs on its loader's.
//!
//! A loader maps generously: everything writable, much executable. The kernel's tables give each page the rights of what is
//! in it and no others, by every address it can be reached under. So the image's code and constants are read-only in the
//! direct map as well, and the pages below stacks are nowhere near them.
//!
//! The root is complete from the start: programs' roots get a copy of its upper half, and an entry that was added later would be
//! missing in them. The image, the direct map and the span of single mappings all have their tables of the next level, be they empty.

use super::devices::Device;
use super::tables::{LargestPage, MapError, Table, TableMemory, Tree, translate};
use super::{kernel_root, unsupported};
use crate::Native;
use crate::cpu::stacks;
use arch::layout::{MAPPINGS, MAPPINGS_SIZE, PAGE_SIZE};
use arch::memory::TooManyRanges;
use arch::percpu::{CpuId, MAX_CPUS};
use arch::{FrameRange, MemoryMap, MmuOps, PageTableFlags, Pfn, Pte, VirtAddr, image};
use core::fmt;

/// What the tables are built from.
#[derive(Debug)]
pub struct Plan<'a> {
    /// What the direct map shows, in whole frames.
    pub shown: &'a MemoryMap,
    /// Free memory, the image's taken out; tables are taken from it.
    pub free: &'a mut MemoryMap,
    /// The frames that the loader's tables show in the direct map are those below this one.
    pub reachable_below: Pfn,
    /// The largest pages the processor has.
    pub largest: LargestPage,
    /// Pages of the image that are to be left out.
    pub guard_pages: &'a [VirtAddr],
    /// Devices to be mapped, those that the machine has.
    pub devices: &'a [Option<Device>],
    /// How many CPUs there may be: each gets stacks for exceptions.
    pub cpus: u32,
}

/// Why there are no page tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// A mapping failed.
    Map(MapError),
    /// The memory is in too many pieces.
    Pieces(TooManyRanges),
    /// A page of the image is nowhere: the loader did not load all of it.
    NotLoaded(VirtAddr),
}

impl From<MapError> for BuildError {
    fn from(error: MapError) -> Self {
        Self::Map(error)
    }
}

impl From<TooManyRanges> for BuildError {
    fn from(error: TooManyRanges) -> Self {
        Self::Pieces(error)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(error) => error.fmt(out),
            Self::Pieces(error) => error.fmt(out),
            Self::NotLoaded(page) => write!(out, "the image's page {:#x} was not loaded", page.as_u64()),
        }
    }
}

/// Builds the kernel's page tables; returns the root.
///
/// # Errors
/// [`BuildError`], with part of the free memory spent.
///
/// # Safety
/// The tables in use show all frames below `reachable_below` in the direct map, and nobody uses the free ones.
pub unsafe fn build(plan: Plan<'_>) -> Result<Pfn, BuildError> {
    let mut memory = BootFrames {
        free: plan.free,
        below: plan.reachable_below,
    };
    let root = memory.new_table().ok_or(MapError::OutOfMemory)?;
    let mut tree = Tree::new(root, memory, unsupported());
    let constants = map_image(&mut tree, plan.guard_pages)?;
    map_direct(&mut tree, plan.shown, &constants, plan.largest)?;
    for device in plan.devices.iter().flatten() {
        tree.map(device.at, device.frames(), device.flags(), LargestPage::Large)?;
    }
    tree.reserve(VirtAddr::new(MAPPINGS)..VirtAddr::new(MAPPINGS + MAPPINGS_SIZE))?;
    for stack in (1..plan.cpus.min(MAX_CPUS)).map(CpuId).flat_map(stacks::of) {
        tree.back(stack, writable())?;
    }
    Ok(root)
}

/// The frames of the image's pages, wherever its loader put them.
///
/// # Errors
/// [`BuildError::NotLoaded`], or [`BuildError::Pieces`] if they are all over the place.
pub fn image_frames() -> Result<MemoryMap, BuildError> {
    let pages = image::pages();
    let mut frames = MemoryMap::new();
    for page in page_starts(pages.start, pages.end) {
        let frame = frame_of(page)?;
        frames.insert(FrameRange::new(frame, frame + 1))?;
    }
    Ok(frames)
}

/// Replaces the entry of the 4 KiB page at `address` in the kernel's tables, splitting a larger page there if need be.
///
/// `free` gives the tables that this needs. Afterwards this CPU uses the new entry.
///
/// # Errors
/// [`MapError::OutOfMemory`], with no translation changed.
///
/// # Safety
/// The tables are those of [`build`], `free` is free memory in the direct map, nobody else changes tables, and the new
/// translation breaks no reference that anyone holds.
pub unsafe fn replace_page(free: &mut MemoryMap, address: VirtAddr, entry: Pte) -> Result<(), MapError> {
    let below = free.end();
    let mut tree = Tree::new(kernel_root(), BootFrames { free, below }, unsupported());
    tree.replace(address, entry)?;
    Native::flush_page(address);
    Ok(())
}

/// Maps each segment of the image with its rights; returns the frames of those that must not be written.
fn map_image(tree: &mut Tree<BootFrames<'_>>, guard_pages: &[VirtAddr]) -> Result<MemoryMap, BuildError> {
    let mut constants = MemoryMap::new();
    for segment in image::segments() {
        for page in page_starts(segment.pages.start, segment.pages.end) {
            let frame = frame_of(page)?;
            let frames = FrameRange::new(frame, frame + 1);
            if !segment.flags.contains(PageTableFlags::WRITABLE) {
                constants.insert(frames)?;
            }
            if !guard_pages.contains(&page) {
                tree.map(page, frames, segment.flags, LargestPage::Small)?;
            }
        }
    }
    Ok(constants)
}

/// Maps `shown` at the direct map, writable but for `constants`.
fn map_direct(
    tree: &mut Tree<BootFrames<'_>>,
    shown: &MemoryMap,
    constants: &MemoryMap,
    largest: LargestPage,
) -> Result<(), BuildError> {
    let read_only = writable() - PageTableFlags::WRITABLE;
    let mut rest = shown.clone();
    for frames in constants.ranges() {
        rest.remove(*frames)?;
        tree.map(frames.start.direct(), *frames, read_only, largest)?;
    }
    for frames in rest.ranges() {
        tree.map(frames.start.direct(), *frames, writable(), largest)?;
    }
    Ok(())
}

/// The rights of ordinary memory.
fn writable() -> PageTableFlags {
    PageTableFlags::PRESENT | PageTableFlags::WRITABLE | PageTableFlags::GLOBAL | PageTableFlags::NO_EXECUTE
}

/// The first addresses of the pages from `start` to before `end`.
fn page_starts(start: VirtAddr, end: VirtAddr) -> impl Iterator<Item = VirtAddr> {
    (start.as_u64()..end.as_u64())
        .step_by(PAGE_SIZE as usize)
        .map(VirtAddr::new_truncate)
}

/// The frame that a page of the image is in, according to the tables in use.
fn frame_of(page: VirtAddr) -> Result<Pfn, BuildError> {
    // SAFETY: the boot code runs on tables that show themselves in the direct map, and nobody changes them.
    let table = |frame: Pfn| unsafe { &*frame.direct().as_ptr::<Table>() };
    translate(Native::root(), page, table).ok_or(BuildError::NotLoaded(page))
}

/// Free frames that the tables in use show in the direct map.
#[derive(Debug)]
struct BootFrames<'a> {
    free: &'a mut MemoryMap,
    below: Pfn,
}

impl TableMemory for BootFrames<'_> {
    fn new_table(&mut self) -> Option<Pfn> {
        let frame = self.free.take(1, self.below)?;
        // SAFETY: the frame was free and is now a table's; it is in the direct map, says whoever made `self`.
        unsafe { frame.direct().as_mut_ptr::<Table>().write([Pte::EMPTY; 512]) };
        Some(frame)
    }

    fn table(&mut self, frame: Pfn) -> &mut Table {
        // SAFETY: a table of the tree, in the direct map; the tree is borrowed mutably, so nobody else looks.
        unsafe { &mut *frame.direct().as_mut_ptr::<Table>() }
    }
}
