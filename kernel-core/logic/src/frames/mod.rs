//! The frame allocator: a binary buddy system that grows section by section.
//!
//! A guest may have been given 64 GiB and use 20 MiB. Preparing memory costs time (under Xen each page has to be mapped by the
//! hypervisor), so memory is taken in by [`Buddy::add`], a piece at a time, when it is needed, and everything the allocator
//! must know about a [section](SECTION_FRAMES) of memory lies in that section, at its start: one byte a frame for its state,
//! and two to count [who shares it](shares). The free blocks themselves hold the links of the lists they are in. So an allocator for any amount of memory starts from
//! nothing but one table of section pointers.
//!
//! Blocks are 2^order frames, aligned to their size. Freed blocks join with their buddy at once (Knuth, TAOCP vol. 1, 2.5).

mod list;
mod section;
pub mod shares;

use crate::atomic::AtomicU16;
use arch::{FrameRange, Pfn};
use core::fmt;
use core::ptr::NonNull;
use list::List;
pub use section::{MAX_SECTIONS, SECTION_FRAMES, SECTION_ORDER};
use section::{METADATA_FRAMES, Sections, State, section_of};

/// The largest block: a whole section, 32 MiB.
pub const MAX_ORDER: u8 = SECTION_ORDER;

/// Where the allocator finds the memory of a frame.
pub trait FrameMemory {
    /// The address of the frame's first byte. Adjoining frames have adjoining addresses.
    fn pointer(&self, frame: Pfn) -> *mut u8;

    /// Says that section number `section` has been taken in, and where there is a zeroed count for each of its
    /// [`SECTION_FRAMES`] frames, to be given to [`Shares::add_section`](shares::Shares::add_section). Who does not share frames
    /// has no use for it. Called before any of the section's frames can be allocated.
    fn section_added(&self, section: usize, counts: NonNull<AtomicU16>) {
        let _ = (section, counts);
    }
}

/// Memory that was not taken in: by which frame it begins, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddError {
    /// The frame has been taken in before.
    AlreadyManaged(Pfn),
    /// The frame lies beyond [`MAX_SECTIONS`].
    OutOfReach(Pfn),
    /// Too few frames in this section to hold even what is remembered of the section.
    TooSmall(Pfn),
}

impl fmt::Display for AddError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyManaged(frame) => write!(out, "memory at {:#x} was already taken in", frame.address()),
            Self::OutOfReach(frame) => write!(out, "memory at {:#x} is beyond the allocator's reach", frame.address()),
            Self::TooSmall(frame) => write!(out, "the piece of memory at {:#x} is too small to use", frame.address()),
        }
    }
}

/// A block that was not freed, because it is not an allocated block of that order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAllocated(pub Pfn, pub u8);

impl fmt::Display for NotAllocated {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "frame {:#x} is not an allocated block of order {}: freed twice, or never allocated",
            self.0.0, self.1
        )
    }
}

/// The allocator.
pub struct Buddy<M> {
    memory: M,
    sections: Sections,
    lists: [List; MAX_ORDER as usize + 1],
    free: u64,
    managed: u64,
}

// SAFETY: the pointers inside lead to memory that belongs to the allocator alone.
unsafe impl<M: Send> Send for Buddy<M> {}

impl<M> fmt::Debug for Buddy<M> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Buddy({} of {} frames free)", self.free, self.managed)
    }
}

impl<M: FrameMemory> Buddy<M> {
    /// An allocator without memory.
    pub const fn new(memory: M) -> Self {
        Self {
            memory,
            sections: Sections::new(),
            lists: [const { List::new() }; MAX_ORDER as usize + 1],
            free: 0,
            managed: 0,
        }
    }

    /// How many frames are free.
    pub fn free_frames(&self) -> u64 {
        self.free
    }

    /// How many frames were taken in, the allocator's own notes not counted.
    pub fn managed_frames(&self) -> u64 {
        self.managed
    }

    /// How many free blocks there are of each order.
    pub fn free_blocks(&self) -> [u64; MAX_ORDER as usize + 1] {
        core::array::from_fn(|order| self.lists[order].len())
    }

    /// Takes in the frames of `range`.
    ///
    /// # Errors
    /// [`AddError`] names the first piece that was left out; pieces in lower sections have been taken in.
    ///
    /// # Safety
    /// The frames are memory that nobody uses, reachable through `FrameMemory`, and the allocator's from now on.
    pub unsafe fn add(&mut self, range: FrameRange) -> Result<(), AddError> {
        let mut rest = range;
        while !rest.is_empty() {
            let next = Pfn((rest.start.0 / SECTION_FRAMES + 1) * SECTION_FRAMES);
            let piece = rest.intersection(&FrameRange::new(rest.start, next));
            // SAFETY: the caller's promise, for a part of the range.
            unsafe { self.add_piece(piece)? };
            rest.start = piece.end;
        }
        Ok(())
    }

    /// A block of 2^`order` frames with whatever they contain; `None` if there is none.
    #[inline(always)]
    pub fn allocate(&mut self, order: u8) -> Option<Pfn> {
        let found = (order..=MAX_ORDER).find(|order| !self.lists[usize::from(*order)].is_empty())?;
        let block = self.pop(found)?;
        for half in (order..found).rev() {
            self.push(block + (1 << half), half);
        }
        self.sections.set(block, State::Allocated(order));
        self.free -= 1 << order;
        Some(block)
    }

    /// Takes a block back.
    ///
    /// # Errors
    /// [`NotAllocated`] if there is no such block; nothing has changed.
    ///
    /// # Safety
    /// Nobody uses the block any more.
    pub unsafe fn free(&mut self, block: Pfn, order: u8) -> Result<(), NotAllocated> {
        if self.sections.get(block) != State::Allocated(order) {
            return Err(NotAllocated(block, order));
        }
        self.free += 1 << order;
        self.join(block, order);
        Ok(())
    }

    /// Takes in a range that lies within one section.
    unsafe fn add_piece(&mut self, piece: FrameRange) -> Result<(), AddError> {
        if section_of(piece.start) >= MAX_SECTIONS {
            return Err(AddError::OutOfReach(piece.start));
        }
        let mut usable = piece;
        if !self.sections.is_known(piece.start) {
            if piece.len() <= METADATA_FRAMES {
                return Err(AddError::TooSmall(piece.start));
            }
            let metadata = NonNull::new(self.memory.pointer(piece.start)).expect("no frame is at address 0");
            // SAFETY: the caller gives these frames away, and there is one section's worth of them.
            let counts = unsafe { self.sections.learn(piece.start, metadata) };
            self.memory.section_added(section_of(piece.start), counts);
            usable.start = piece.start + METADATA_FRAMES;
            let metadata = FrameRange::new(piece.start, usable.start);
            metadata.iter().for_each(|frame| self.sections.set(frame, State::Inner));
        }
        if let Some(known) = usable.iter().find(|frame| self.sections.get(*frame) != State::Outside) {
            return Err(AddError::AlreadyManaged(known));
        }
        usable.iter().for_each(|frame| self.sections.set(frame, State::Inner));
        self.managed += usable.len();
        self.free += usable.len();
        self.release(usable);
        Ok(())
    }

    /// Frees all of `range`, in the largest aligned blocks it consists of.
    fn release(&mut self, range: FrameRange) {
        let mut at = range.start;
        while at < range.end {
            let aligned = if at.0 == 0 {
                MAX_ORDER
            } else {
                at.0.trailing_zeros().min(MAX_ORDER.into()) as u8
            };
            let order = aligned.min((range.end.0 - at.0).ilog2() as u8);
            self.join(at, order);
            at = at + (1 << order);
        }
    }

    /// Puts a block into its list, joined with its buddy as often as that is free.
    fn join(&mut self, mut block: Pfn, mut order: u8) {
        self.sections.set(block, State::Inner);
        while order < MAX_ORDER {
            let buddy = Pfn(block.0 ^ (1 << order));
            if self.sections.get(buddy) != State::Free(order) {
                break;
            }
            self.unlink(buddy, order);
            block = block.min(buddy);
            order += 1;
        }
        self.push(block, order);
    }

    fn push(&mut self, block: Pfn, order: u8) {
        self.sections.set(block, State::Free(order));
        // SAFETY: the block is free, hence the allocator's own memory.
        unsafe { self.lists[usize::from(order)].push(&self.memory, block) };
    }

    fn pop(&mut self, order: u8) -> Option<Pfn> {
        // SAFETY: the list's members are free blocks that `push` put there.
        unsafe { self.lists[usize::from(order)].pop(&self.memory) }
    }

    fn unlink(&mut self, block: Pfn, order: u8) {
        self.sections.set(block, State::Inner);
        // SAFETY: its state said that it is in this list.
        unsafe { self.lists[usize::from(order)].remove(&self.memory, block) };
    }
}

#[cfg(test)]
mod tests;
