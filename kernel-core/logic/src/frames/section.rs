//! What is remembered of each frame, in the section the frame lies in: a byte for its state, and two to count its owners.

use crate::atomic::AtomicU16;
use arch::Pfn;
use arch::layout::PAGE_SIZE;
use core::ptr::NonNull;

/// A section has 2 to the power of this many frames.
pub const SECTION_ORDER: u8 = 13;

/// Frames of a section: 32 MiB of memory.
pub const SECTION_FRAMES: u64 = 1 << SECTION_ORDER;

/// How many sections there can be: 128 GiB of memory.
pub const MAX_SECTIONS: usize = 4096;

/// Bytes that are kept of each frame.
const METADATA: u64 = 1 + size_of::<u16>() as u64;

/// The frames at the start of a section's first piece that hold what is kept of the whole section: all states, then all counts.
pub(super) const METADATA_FRAMES: u64 = (METADATA * SECTION_FRAMES).div_ceil(PAGE_SIZE);

/// The number of the section that `frame` lies in.
pub(super) const fn section_of(frame: Pfn) -> usize {
    (frame.0 / SECTION_FRAMES) as usize
}

/// What a frame is to the allocator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Not the allocator's.
    Outside,
    /// Inside a block that begins at a lower frame.
    Inner,
    /// The first frame of a free block of this order.
    Free(u8),
    /// The first frame of an allocated block of this order.
    Allocated(u8),
}

impl State {
    const fn encode(self) -> u8 {
        match self {
            Self::Outside => 0,
            Self::Inner => 1,
            Self::Free(order) => 0x40 | order,
            Self::Allocated(order) => 0x80 | order,
        }
    }

    const fn decode(byte: u8) -> Self {
        match byte & 0xc0 {
            0x40 => Self::Free(byte & 0x3f),
            0x80 => Self::Allocated(byte & 0x3f),
            _ if byte == 1 => Self::Inner,
            _ => Self::Outside,
        }
    }
}

/// The states of all frames.
pub(super) struct Sections {
    states: [Option<NonNull<u8>>; MAX_SECTIONS],
}

impl Sections {
    pub const fn new() -> Self {
        Self {
            states: [None; MAX_SECTIONS],
        }
    }

    /// Whether the section that `frame` lies in has a place for its states.
    pub fn is_known(&self, frame: Pfn) -> bool {
        self.byte(frame).is_some()
    }

    /// Keeps what is remembered of `frame`'s section at `metadata`: all states [`State::Outside`] at first, all counts zero.
    /// Returns where the counts are.
    ///
    /// # Safety
    /// [`METADATA_FRAMES`] pages from there on are given away for good. The section is within reach.
    pub unsafe fn learn(&mut self, frame: Pfn, metadata: NonNull<u8>) -> NonNull<AtomicU16> {
        const { assert!(State::Outside.encode() == 0) };
        // SAFETY: the caller gives this memory away.
        unsafe { metadata.write_bytes(0, (METADATA * SECTION_FRAMES) as usize) };
        self.states[section_of(frame)] = Some(metadata);
        // SAFETY: the counts lie behind the states, within the same pages.
        unsafe { metadata.add(SECTION_FRAMES as usize).cast() }
    }

    /// The frame's state; frames that were never heard of are outside.
    pub fn get(&self, frame: Pfn) -> State {
        // SAFETY: `byte` leads into memory that `learn` was given.
        self.byte(frame)
            .map_or(State::Outside, |byte| State::decode(unsafe { byte.read() }))
    }

    /// Sets the state of a frame in a known section.
    pub fn set(&mut self, frame: Pfn, state: State) {
        let byte = self.byte(frame).expect("states are kept for known sections only");
        // SAFETY: as in `get`.
        unsafe { byte.write(state.encode()) };
    }

    fn byte(&self, frame: Pfn) -> Option<NonNull<u8>> {
        let states = (*self.states.get(section_of(frame))?)?;
        // SAFETY: a section's states are as many as its frames.
        Some(unsafe { states.add((frame.0 % SECTION_FRAMES) as usize) })
    }
}
