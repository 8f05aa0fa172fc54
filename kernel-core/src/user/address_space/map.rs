//! What a program may ask of its address space: more memory, less, other rights.

use super::changes::Changes;
use super::tables::{Live, frame_of};
use super::{AddressSpace, Memory};
use crate::mm::frames;
use arch::layout::{PAGE_SIZE, USER_END};
use arch::{Pfn, Pte, Slot, VirtAddr};
use core::ops::Range;
use kernel_logic::paging::{leaf, leaves};
use kernel_logic::user::errno::Errno;
use kernel_logic::user::regions::{MAX_REGIONS, UserAccess};

/// Where a program wants new memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Wherever there is room.
    Anywhere,
    /// At this address, in place of what is there.
    Replace(u64),
    /// At this address, unless something is there.
    Free(u64),
}

impl AddressSpace {
    /// Adds `length` bytes, rounded up to pages, of zeros. Returns where they are.
    ///
    /// # Errors
    /// `EINVAL` for a length of zero or an address that is none; `ENOMEM` without room; `EEXIST` if the place is taken;
    /// `EACCES` for memory that could be both written and executed.
    pub fn map(&self, place: Place, length: u64, access: UserAccess) -> Result<u64, Errno> {
        let length = whole_pages(length)?;
        let mut memory = self.memory.lock();
        let address = match place {
            Place::Anywhere => memory.regions.gap(length).ok_or(Errno::ENOMEM)?,
            Place::Replace(address) | Place::Free(address) => address,
        };
        let pages = range(address, length, Errno::ENOMEM)?;
        if let Place::Replace(_) = place {
            // What would refuse the new pages must do so before the old ones are gone.
            if access.is_write_and_execute() {
                return Err(Errno::EACCES);
            }
            if memory.regions.len() + 2 > MAX_REGIONS {
                return Err(Errno::ENOMEM);
            }
            self.unmap_locked(&mut memory, pages.clone())?;
        }
        memory.regions.insert(pages, access).map_err(Errno::from)?;
        Ok(address)
    }

    /// Takes away whatever is in the `length` bytes at `address`.
    ///
    /// # Errors
    /// `EINVAL` for a range that is none.
    pub fn unmap(&self, address: u64, length: u64) -> Result<(), Errno> {
        let length = whole_pages(length).map_err(|_| Errno::EINVAL)?;
        let pages = range(address, length, Errno::EINVAL)?;
        self.unmap_locked(&mut self.memory.lock(), pages)
    }

    /// Changes the rights to the `length` bytes at `address`.
    ///
    /// # Errors
    /// `ENOMEM` if a part of it is no memory; `EACCES` for rights to both write and execute; `EINVAL` for a range that is none.
    pub fn protect(&self, address: u64, length: u64, access: UserAccess) -> Result<(), Errno> {
        if length == 0 {
            return Ok(());
        }
        let pages = range(address, whole_pages(length)?, Errno::ENOMEM)?;
        let mut memory = self.memory.lock();
        memory.regions.protect(pages.clone(), access).map_err(Errno::from)?;
        memory.change_rights(&pages, access);
        self.flush(addresses(&pages));
        Ok(())
    }

    /// Moves the end of the heap to `end` if that is possible. Returns where it is then.
    pub fn move_heap_end(&self, end: u64) -> u64 {
        let mut memory = self.memory.lock();
        let old = memory.heap.end;
        if end < memory.heap.start {
            return old;
        }
        let (old_pages, new_pages) = (old.next_multiple_of(PAGE_SIZE), end.checked_next_multiple_of(PAGE_SIZE));
        let moved = match new_pages {
            None => Err(Errno::ENOMEM),
            Some(new) if new > old_pages => {
                let access = UserAccess::READ | UserAccess::WRITE;
                memory.regions.insert(old_pages..new, access).map_err(Errno::from)
            }
            Some(new) if new < old_pages => self.unmap_locked(&mut memory, new..old_pages),
            Some(_) => Ok(()),
        };
        if moved.is_ok() {
            memory.heap.end = end;
        }
        memory.heap.end
    }

    fn unmap_locked(&self, memory: &mut Memory, pages: Range<u64>) -> Result<(), Errno> {
        memory.regions.remove(pages.clone()).map_err(Errno::from)?;
        let mut round = Removal::new();
        leaves(&Live, memory.root, pages, |slot, pte| {
            round.add(slot, frame_of(pte));
            if round.changes.is_full() {
                round.carry_out(self);
            }
        });
        round.carry_out(self);
        Ok(())
    }
}

impl Memory {
    /// Brings the entries of the pages that are there in line with their new rights. The caller flushes.
    fn change_rights(&self, pages: &Range<u64>, access: UserAccess) {
        let mut changes = Changes::new();
        leaves(&Live, self.root, pages.clone(), |slot, pte| {
            let frame = frame_of(pte);
            changes.push(slot, leaf(&Live, frame, access, !frames::is_shared(frame)));
            if changes.is_full() {
                changes.write();
            }
        });
        changes.write();
    }
}

/// Pages that are being taken away: the entries go first, then every CPU forgets them, and only then the frames are free.
struct Removal {
    changes: Changes,
    frames: [Pfn; super::changes::BATCH],
    count: usize,
    pages: Range<VirtAddr>,
}

impl Removal {
    fn new() -> Self {
        Self {
            changes: Changes::new(),
            frames: [Pfn(0); super::changes::BATCH],
            count: 0,
            pages: VirtAddr::zero()..VirtAddr::zero(),
        }
    }

    fn add(&mut self, slot: Slot, frame: Pfn) {
        if self.count == 0 {
            self.pages.start = slot.address;
        }
        self.pages.end = slot.address + PAGE_SIZE;
        self.changes.push(slot, Pte::EMPTY);
        self.frames[self.count] = frame;
        self.count += 1;
    }

    fn carry_out(&mut self, space: &AddressSpace) {
        if self.count == 0 {
            return;
        }
        self.changes.write();
        space.flush(self.pages.clone());
        for frame in &self.frames[..self.count] {
            // SAFETY: no entry of this address space names it any more, and no CPU has one cached.
            unsafe { frames::release(*frame) };
        }
        self.count = 0;
    }
}

fn whole_pages(length: u64) -> Result<u64, Errno> {
    match length.checked_next_multiple_of(PAGE_SIZE) {
        Some(0) => Err(Errno::EINVAL),
        Some(length) if length <= USER_END => Ok(length),
        _ => Err(Errno::ENOMEM),
    }
}

/// The range, or `outside` for one that does not end within a program's reach.
fn range(address: u64, length: u64, outside: Errno) -> Result<Range<u64>, Errno> {
    if !address.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    let end = address.checked_add(length).filter(|end| *end <= USER_END);
    Ok(address..end.ok_or(outside)?)
}

fn addresses(pages: &Range<u64>) -> Range<VirtAddr> {
    VirtAddr::new(pages.start)..VirtAddr::new(pages.end)
}
