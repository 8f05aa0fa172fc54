//! The entries that map the pages of programs.
//!
//! A program's right to a page and what its entry allows at the moment are two things: a page that is shared by copy-on-write may be
//! written by right, but not yet. And a page that a program has taken every right from (`mprotect` with `PROT_NONE`, as for guard
//! pages) still has contents that it may ask for again. Its entry must keep the frame, and the processor must not follow it.
//! Under Xen clearing the user bit would not do, for there the kernel's pages are open to ring 3 themselves. So such an entry is
//! not present, and marked as *held* by a bit that the processor ignores.
//!
//! A held entry has the frame's bits inverted: some processors speculatively read through entries that are not present (the
//! flaw called L1TF), and with its highest bits set a frame is no memory. Linux does the same, and a Xen that protects itself
//! against the flaw expects it.

use super::Tables;
use crate::user::UserAccess;
use arch::{PageTableFlags, Pfn, Pte};

/// Marks an entry that keeps the frame of a page which its program may not touch.
const HELD: PageTableFlags = PageTableFlags::BIT_9;

/// The flags of a present entry for a page of a program that has the rights `access`, of which it may make use of writing only
/// if `writable_now`: a frame that others share is copied first. Without any right there are no flags; see [`leaf`].
pub fn leaf_flags(access: UserAccess, writable_now: bool) -> PageTableFlags {
    if access.is_empty() {
        return PageTableFlags::empty();
    }
    let mut flags = PageTableFlags::PRESENT | PageTableFlags::USER_ACCESSIBLE;
    flags.set(PageTableFlags::NO_EXECUTE, !access.contains(UserAccess::EXECUTE));
    flags.set(
        PageTableFlags::WRITABLE,
        access.contains(UserAccess::WRITE) && writable_now,
    );
    flags
}

/// The entry for a page of a program: with [`leaf_flags`], or held if there is no right.
pub fn leaf(tables: &impl Tables, frame: Pfn, access: UserAccess, writable_now: bool) -> Pte {
    if access.is_empty() {
        let present = tables.entry(frame, PageTableFlags::PRESENT | PageTableFlags::NO_EXECUTE);
        return Pte::from_bits(!present.bits() & Pte::FRAME_MASK | HELD.bits());
    }
    tables.entry(frame, leaf_flags(access, writable_now))
}

/// The frame of a page of a program, by an entry that [`leaf`] made; `None` if there is no page.
pub fn leaf_frame(tables: &impl Tables, pte: Pte) -> Option<Pfn> {
    if is_held(pte) {
        let present = !pte.bits() & Pte::FRAME_MASK | PageTableFlags::PRESENT.bits();
        return tables.frame(Pte::from_bits(present));
    }
    tables.frame(pte).filter(|_| pte.is_present())
}

/// Whether an entry of level one has a page of a program.
pub(super) fn has_page(pte: Pte) -> bool {
    pte.is_present() || is_held(pte)
}

fn is_held(pte: Pte) -> bool {
    !pte.is_present() && pte.flags().contains(HELD)
}
