//! Page faults: giving a program the page that it was promised.

use super::tables::Live;
use super::{AddressSpace, Memory};
use crate::mm::frames;
use arch::layout::PAGE_SIZE;
use arch::{PageTableFlags, Pfn, Slot, VirtAddr};
use core::fmt;
use kernel_logic::paging::{self, Tables, leaf};
use kernel_logic::user::regions::UserAccess;

/// What a program, or the kernel for it, attempts to do with a byte of its memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// To read it.
    Read,
    /// To write it.
    Write,
    /// To execute it.
    Execute,
}

impl Attempt {
    fn is_allowed_by(self, access: UserAccess) -> bool {
        match self {
            Self::Read => access.intersects(UserAccess::READ | UserAccess::WRITE | UserAccess::EXECUTE),
            Self::Write => access.contains(UserAccess::WRITE),
            Self::Execute => access.contains(UserAccess::EXECUTE),
        }
    }
}

/// Why a program cannot have what it attempts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unresolved {
    /// It has no such right, or no such memory.
    NotAllowed,
    /// The machine has no frame left.
    OutOfMemory,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotAllowed => "the program has no right to it",
            Self::OutOfMemory => "there is no memory left",
        })
    }
}

impl AddressSpace {
    /// Sees to it that the attempt on the byte at `address` succeeds when it is repeated.
    ///
    /// # Errors
    /// [`Unresolved`] says why it never will.
    pub fn resolve(&self, address: u64, attempt: Attempt) -> Result<(), Unresolved> {
        self.memory.lock().frame_for(self, address, attempt).map(drop)
    }
}

impl Memory {
    /// The frame in which the byte at `address` lies, fit for the attempt: filled if it is the first one, copied if it is a write to
    /// a frame with other owners.
    pub(super) fn frame_for(
        &mut self,
        space: &AddressSpace,
        address: u64,
        attempt: Attempt,
    ) -> Result<Pfn, Unresolved> {
        let region = self.regions.find(address).ok_or(Unresolved::NotAllowed)?;
        if !attempt.is_allowed_by(region.access) {
            return Err(Unresolved::NotAllowed);
        }
        let page = VirtAddr::new(address).align_down(PAGE_SIZE);
        let slot = paging::make_way(&mut Live, self.root, page).map_err(|_| Unresolved::OutOfMemory)?;
        let pte = Live.read(slot);
        match Live.frame(pte) {
            None => fill(slot, region.access),
            Some(frame) if attempt == Attempt::Write && !pte.flags().contains(PageTableFlags::WRITABLE) => {
                own(space, slot, frame, region.access)
            }
            Some(frame) => Ok(frame),
        }
    }
}

/// Maps a frame full of zeros. What was not there is in nobody's cache, so nothing is flushed.
fn fill(slot: Slot, access: UserAccess) -> Result<Pfn, Unresolved> {
    let frame = frames::allocate_for_program().ok_or(Unresolved::OutOfMemory)?;
    frames::clear(frame);
    show(slot, frame, access);
    Ok(frame)
}

/// Makes the page writable: in place if the frame has no other owner, in a copy if it has.
fn own(space: &AddressSpace, slot: Slot, frame: Pfn, access: UserAccess) -> Result<Pfn, Unresolved> {
    if !frames::is_shared(frame) {
        // A CPU that has the entry cached as it was faults once more, and forgets it by that.
        show(slot, frame, access);
        return Ok(frame);
    }
    let copy = frames::allocate_for_program().ok_or(Unresolved::OutOfMemory)?;
    // SAFETY: the copy is ours and nobody else's; the frame has the page's contents as long as we are one of its owners, and no
    // one may write it. Both are in the direct map.
    unsafe {
        let from = frame.direct().as_ptr::<u8>();
        copy.direct()
            .as_mut_ptr::<u8>()
            .copy_from_nonoverlapping(from, PAGE_SIZE as usize);
    }
    show(slot, copy, access);
    space.flush(slot.address..slot.address + PAGE_SIZE);
    // SAFETY: no entry of this address space names it any more, and no CPU has one cached.
    unsafe { frames::release(frame) };
    Ok(copy)
}

/// Maps the page to a frame that it alone owns.
#[inline(always)]
fn show(slot: Slot, frame: Pfn, access: UserAccess) {
    Live.write(slot, leaf(&Live, frame, access, true));
}
