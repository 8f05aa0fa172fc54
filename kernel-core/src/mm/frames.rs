//! The kernel's frames, taken in section by section as they are needed.

use crate::platform::Platform;
use crate::sync::IrqLock;
use arch::layout::PAGE_SIZE;
use arch::{Boot, FrameRange, MemoryMap, MmuOps, Pfn};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};
use kernel_logic::frames::shares::{Last, Shares, TooManyOwners};
use kernel_logic::frames::{Buddy, FrameMemory, MAX_ORDER, NotAllocated, SECTION_FRAMES};

/// So many frames are kept back for the page tables that taking in the next section may need: one for each 2 MiB of a
/// section, and one for each level above.
const RESERVE: u64 = SECTION_FRAMES / 512 + 3;

/// So many frames programs cannot have, 4 MiB: the kernel needs some to serve them, and to end them when there are no others.
const KEPT_FROM_PROGRAMS: u64 = 1024;

/// How many owners frames have, beyond the first.
static SHARES: Shares = Shares::new();

static FRAMES: IrqLock<Frames> = IrqLock::new(Frames {
    buddy: Buddy::new(DirectMap),
    waiting: MemoryMap::new(),
    direct_below: Pfn(0),
    total: 0,
});

/// The first frame behind all of the machine's; there are holes, so that it is more than their number.
static END: AtomicU64 = AtomicU64::new(0);

/// Frames as the direct map shows them.
struct DirectMap;

impl FrameMemory for DirectMap {
    fn pointer(&self, frame: Pfn) -> *mut u8 {
        frame.direct().as_mut_ptr()
    }

    fn section_added(&self, section: usize, counts: NonNull<AtomicU16>) {
        // SAFETY: the allocator offers memory that it has set aside for the purpose, zeroed, once for each section.
        unsafe { SHARES.add_section(section, counts) };
    }
}

struct Frames {
    buddy: Buddy<DirectMap>,
    /// Memory that was not yet taken in.
    waiting: MemoryMap,
    /// Below this, memory is in the direct map from boot on.
    direct_below: Pfn,
    /// All frames of the machine.
    total: u64,
}

/// How much memory there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Frames of the machine.
    pub total: u64,
    /// Frames that can be had, whether taken in or not.
    pub free: u64,
    /// Frames that were not yet taken in.
    pub waiting: u64,
}

/// Takes in the first section of the memory that the platform left.
pub fn init(boot: &Boot) {
    let mut frames = FRAMES.lock();
    frames.waiting = boot.memory.clone();
    frames.direct_below = boot.direct_below;
    frames.total = boot.total_frames;
    let end = boot.memory.end().max(boot.direct_below).max(Pfn(boot.total_frames));
    END.store(end.0, Relaxed);
    while frames.buddy.free_frames() < RESERVE && frames.take_in_next() {}
}

/// A block of 2^`order` adjoining frames with arbitrary contents, aligned to its size; `None` if there is none.
pub fn allocate(order: u8) -> Option<Pfn> {
    FRAMES.lock().allocate(order)
}

/// A frame full of zeros.
pub fn allocate_zeroed() -> Option<Pfn> {
    let frame = allocate(0)?;
    clear(frame);
    Some(frame)
}

/// Fills a frame with zeros that was just allocated.
pub fn clear(frame: Pfn) {
    // SAFETY: the frame is the caller's, and memory that was taken in is in the direct map.
    unsafe { frame.direct().as_mut_ptr::<u8>().write_bytes(0, PAGE_SIZE as usize) };
}

/// A frame with arbitrary contents for a program's sake; `None` already when few are left.
pub fn allocate_for_program() -> Option<Pfn> {
    let mut frames = FRAMES.lock();
    let free = frames.buddy.free_frames();
    let enough = free > KEPT_FROM_PROGRAMS || free + frames.waiting.frames() > KEPT_FROM_PROGRAMS;
    if enough { frames.allocate(0) } else { None }
}

/// Whether so few frames are left that nothing new should be begun for programs.
pub fn are_scarce() -> bool {
    usage().free <= KEPT_FROM_PROGRAMS
}

/// Gives a frame that was allocated by itself one owner more.
///
/// # Errors
/// [`TooManyOwners`] when it has as many as can be counted.
pub fn share(frame: Pfn) -> Result<(), TooManyOwners> {
    SHARES.share(frame)
}

/// Whether a frame has several owners. If the caller is one of them, and the answer is no, it stays so until the caller shares it.
pub fn is_shared(frame: Pfn) -> bool {
    SHARES.is_shared(frame)
}

/// Gives up an owner's claim to a frame; it is free when that was the last.
///
/// # Safety
/// The caller is an owner, and uses its memory no more.
pub unsafe fn release(frame: Pfn) {
    if SHARES.release(frame) == Last::Yes {
        // SAFETY: nobody else owns it, and the caller promises not to use it.
        unsafe { free(frame, 0) }.expect("owners have frames that were allocated");
    }
}

/// Gives a block back.
///
/// # Errors
/// [`NotAllocated`] if there is no such block.
///
/// # Safety
/// Nobody uses its memory any more.
pub unsafe fn free(block: Pfn, order: u8) -> Result<(), NotAllocated> {
    // SAFETY: the caller's promise.
    unsafe { FRAMES.lock().buddy.free(block, order) }
}

/// How much memory there is now.
pub fn usage() -> Usage {
    let frames = FRAMES.lock();
    let waiting = frames.waiting.frames();
    Usage {
        total: frames.total,
        free: frames.buddy.free_frames() + waiting,
        waiting,
    }
}

/// How many free blocks there are of each order.
pub fn free_blocks() -> [u64; MAX_ORDER as usize + 1] {
    FRAMES.lock().buddy.free_blocks()
}

/// Whether `frame` is memory that the machine has.
pub fn exists(frame: Pfn) -> bool {
    frame.0 < END.load(Relaxed)
}

impl Frames {
    #[inline(never)]
    fn allocate(&mut self, order: u8) -> Option<Pfn> {
        if order > MAX_ORDER {
            return None;
        }
        while self.buddy.free_frames() < RESERVE + (1 << order) && self.take_in_next() {}
        loop {
            let block = self.buddy.allocate(order);
            if block.is_some() || !self.take_in_next() {
                return block;
            }
        }
    }

    /// Takes in what waits of the lowest section, which happens once for each; false if nothing waits or no frame is left for its page tables.
    #[cold]
    #[inline(never)]
    fn take_in_next(&mut self) -> bool {
        let Some(first) = self.waiting.ranges().first().copied() else {
            return false;
        };
        let section_end = Pfn((first.start.0 / SECTION_FRAMES + 1) * SECTION_FRAMES);
        let mut piece = first.intersection(&FrameRange::new(first.start, section_end));
        if piece.start < self.direct_below {
            piece.end = piece.end.min(self.direct_below);
        } else if !self.map(piece) {
            return false;
        }
        self.waiting
            .remove(piece)
            .expect("the front of a range is removed, which splits nothing");
        // SAFETY: the platform left this memory to us, and from here on it is the allocator's; it is in the direct map.
        if let Err(problem) = unsafe { self.buddy.add(piece) } {
            log::warn!("{problem}");
        }
        true
    }

    fn map(&mut self, piece: FrameRange) -> bool {
        let buddy = &mut self.buddy;
        // SAFETY: the piece is free memory from `Boot::memory`; the tables come from, and leave, the allocator.
        unsafe { Platform::map_direct(piece, || buddy.allocate(0)) }.is_ok()
    }
}
