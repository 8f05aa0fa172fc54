//! Copying an address space without copying memory.
//!
//! Original and copy share every frame, and neither may write any more: the first write of either is a page fault that makes a copy
//! of that page. The copy's page tables are built privately and given over as a whole, which is what makes it cheap under Xen.

use super::changes::Changes;
use super::private::Builder;
use super::tables::{Live, frame_of};
use super::{AddressSpace, Memory, Unresolved};
use crate::mm::frames;
use arch::layout::USER_END;
use arch::{PageTableFlags, Pfn, Pte, Slot, VirtAddr};
use kernel_logic::paging::{Tables, leaves};

impl AddressSpace {
    /// A copy of it, as it is now.
    ///
    /// # Errors
    /// [`Unresolved::OutOfMemory`]; the original is as it was, but for pages that become writable again only when they are written.
    pub fn fork(&self) -> Result<Self, Unresolved> {
        let memory = self.memory.lock();
        let mut copy = Builder::new()?;
        let shared = share(&memory, &mut copy);
        // From here on the original's writes fault, on every CPU: its frames are shared.
        self.flush(VirtAddr::zero()..VirtAddr::new(USER_END));
        shared?;
        Ok(copy.build(memory.regions.clone(), memory.heap.clone()))
    }
}

/// Enters all pages into the copy, and write-protects them in the original.
fn share(memory: &Memory, copy: &mut Builder) -> Result<(), Unresolved> {
    let (mut protected, mut outcome) = (Changes::new(), Ok(()));
    let mut share = |slot, pte: Pte| {
        if outcome.is_err() {
            return;
        }
        let frame = frame_of(pte);
        let read_only = read_only(frame, pte);
        outcome = copy.share(slot, frame, read_only);
        if outcome.is_ok() && pte.flags().contains(PageTableFlags::WRITABLE) {
            protected.push(slot, read_only);
            if protected.is_full() {
                protected.write();
            }
        }
    };
    for region in memory.regions.iter() {
        leaves(&Live, memory.root, region.pages, &mut share);
    }
    protected.write();
    outcome
}

/// The entry without the right to write. That of a page out of reach has none, and stays what it is.
fn read_only(frame: Pfn, pte: Pte) -> Pte {
    if !pte.is_present() {
        return pte;
    }
    let dirty = PageTableFlags::ACCESSED | PageTableFlags::DIRTY | PageTableFlags::WRITABLE;
    Live.entry(frame, pte.flags() - dirty)
}

impl Builder {
    /// Enters a frame of the original as its `slot` says, with one owner more.
    fn share(&mut self, slot: Slot, frame: Pfn, entry: Pte) -> Result<(), Unresolved> {
        frames::share(frame).map_err(|_| Unresolved::OutOfMemory)?;
        self.enter(slot.address, entry).inspect_err(|_| {
            // SAFETY: the copy does not have it after all.
            unsafe { frames::release(frame) };
        })
    }
}
