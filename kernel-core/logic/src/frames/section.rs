//! What the allocator remembers of each frame, a byte each, in the section the frame lies in.

use arch::Pfn;
use arch::layout::PAGE_SIZE;
use core::ptr::NonNull;

/// A section has 2 to the power of this many frames.
pub const SECTION_ORDER: u8 = 13;

/// Frames of a section: 32 MiB of memory.
pub const SECTION_FRAMES: u64 = 1 << SECTION_ORDER;

/// How many sections there can be: 128 GiB of memory.
pub const MAX_SECTIONS: usize = 4096;

/// The frames at the start of a section's first piece that hold the states of the whole section.
pub(super) const METADATA_FRAMES: u64 = SECTION_FRAMES / PAGE_SIZE;

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

    /// Keeps the states of `frame`'s section at `states`, all [`State::Outside`] at first.
    ///
    /// # Safety
    /// [`METADATA_FRAMES`] pages from there on are given away for good. The section is within reach.
    pub unsafe fn learn(&mut self, frame: Pfn, states: *mut u8) {
        // SAFETY: the caller gives this memory away.
        unsafe { states.write_bytes(State::Outside.encode(), SECTION_FRAMES as usize) };
        self.states[(frame.0 / SECTION_FRAMES) as usize] = NonNull::new(states);
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
        let states = (*self.states.get((frame.0 / SECTION_FRAMES) as usize)?)?;
        // SAFETY: a section's states are as many as its frames.
        Some(unsafe { states.add((frame.0 % SECTION_FRAMES) as usize) })
    }
}
