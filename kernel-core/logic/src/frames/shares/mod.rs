//! How many address spaces share a frame.
//!
//! A process that forks doubles the owners of all its memory, and each owner that writes or ends is one less, on whatever
//! CPU it runs. A lock around the counts would be taken for every page of every fork. But a count has a property that makes a
//! lock needless: only an owner can add an owner. So whoever finds himself the only one stays the only one for as long as he
//! likes, and one atomic step decides each release.
//!
//! What is counted are the owners *beyond the first*: a frame that was just allocated has its one owner without anybody
//! writing that down, and the page-fault path of an ordinary page never touches a count. The counts lie in the sections that
//! they describe, where the [allocator](super) sets them aside.

use super::{MAX_SECTIONS, SECTION_FRAMES};
use crate::atomic::{AtomicU16, Ordering};
use arch::Pfn;
use core::fmt;
use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicPtr;

/// The frame has as many owners as can be counted: 65,536. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooManyOwners(pub Pfn);

impl fmt::Display for TooManyOwners {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "frame {:#x} has too many owners to count another", self.0.0)
    }
}

/// Whether the owner that gave a frame up was its last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Last {
    /// Nobody else has the frame: it is to be freed, by whoever was told so.
    Yes,
    /// Others have it still.
    No,
}

/// The owners of all frames of the machine, for all CPUs at once, without a lock.
///
/// Each caller speaks as an owner of the frame it names. That is not checked, and cannot be.
pub struct Shares {
    sections: [AtomicPtr<AtomicU16>; MAX_SECTIONS],
}

impl fmt::Debug for Shares {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |section: &&AtomicPtr<AtomicU16>| !section.load(Ordering::Relaxed).is_null();
        write!(out, "Shares({} sections)", self.sections.iter().filter(known).count())
    }
}

impl Shares {
    /// Counts for no section yet.
    pub const fn new() -> Self {
        Self {
            sections: [const { AtomicPtr::new(ptr::null_mut()) }; MAX_SECTIONS],
        }
    }

    /// Keeps the counts of section number `section` at `counts`, where the allocator
    /// [set them aside](super::FrameMemory::section_added).
    ///
    /// # Panics
    /// If the section is beyond [`MAX_SECTIONS`].
    ///
    /// # Safety
    /// From `counts` on there are [`SECTION_FRAMES`] zeroed counts that are given away for good. The section is added once.
    pub unsafe fn add_section(&self, section: usize, counts: NonNull<AtomicU16>) {
        // Release, with the Acquire in `count`: who sees the pointer sees the zeros.
        self.sections[section].store(counts.as_ptr(), Ordering::Release);
    }

    /// Adds an owner to `frame`.
    ///
    /// # Errors
    /// [`TooManyOwners`] if that would be one more than can be counted.
    ///
    /// # Panics
    /// If the frame lies in no section that was added.
    #[inline]
    pub fn share(&self, frame: Pfn) -> Result<(), TooManyOwners> {
        share(self.count(frame)).ok_or(TooManyOwners(frame))
    }

    /// Gives up the caller's part in `frame`. If it was the last, all that former owners did with the frame is done, and it is
    /// left without a share to count, as allocated frames are.
    ///
    /// # Panics
    /// If the frame lies in no section that was added.
    #[inline]
    pub fn release(&self, frame: Pfn) -> Last {
        release(self.count(frame))
    }

    /// Whether anybody but the caller has `frame`. If not, that stays so until the caller itself shares it, and all that former
    /// owners did with the frame is done: it may be written.
    ///
    /// # Panics
    /// If the frame lies in no section that was added.
    #[inline]
    pub fn is_shared(&self, frame: Pfn) -> bool {
        is_shared(self.count(frame))
    }

    #[inline]
    fn count(&self, frame: Pfn) -> &AtomicU16 {
        let section = self.sections.get((frame.0 / SECTION_FRAMES) as usize);
        let counts = NonNull::new(section.map_or(ptr::null_mut(), |section| section.load(Ordering::Acquire)));
        let counts = counts.unwrap_or_else(|| panic!("nobody counts the owners of frame {:#x}", frame.0));
        // SAFETY: `add_section` was promised a count for each frame of the section, for good.
        unsafe { counts.add((frame.0 % SECTION_FRAMES) as usize).as_ref() }
    }
}

impl Default for Shares {
    fn default() -> Self {
        Self::new()
    }
}

/// One more owner; `None` if the count is full.
///
/// Relaxed: whoever calls is an owner, so the count cannot reach zero meanwhile, and the new owner learns of the frame by some
/// other way, which orders all that came before.
#[inline]
fn share(count: &AtomicU16) -> Option<()> {
    let more = |owners: u16| owners.checked_add(1);
    count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
        .ok()
        .map(|_| ())
}

/// One owner less.
///
/// Release when it is not the last: what this owner did with the frame comes before the count that the last one reads.
/// Acquire when it is: the zero it reads was written by the step before it, in a chain of read-modify-writes that began with
/// the first release, so it comes after what every former owner did. Nobody can add an owner after the zero was read, as there
/// is no other owner who could.
#[inline]
fn release(count: &AtomicU16) -> Last {
    let fewer = |owners: u16| owners.checked_sub(1);
    match count.fetch_update(Ordering::Release, Ordering::Acquire, fewer) {
        Ok(_) => Last::No,
        Err(_) => Last::Yes,
    }
}

/// Acquire, as in [`release`]: the caller may write to the frame after a "no".
#[inline]
fn is_shared(count: &AtomicU16) -> bool {
    count.load(Ordering::Acquire) != 0
}

#[cfg(test)]
mod tests;
