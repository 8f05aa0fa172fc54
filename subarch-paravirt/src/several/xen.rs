//! Some of Xen's operations once more, as functions of words.
//!
//! What stands out of line at a site competes with the bare machine's instructions for registers, and an argument that goes through
//! memory is kept there on a bare machine as well. For most operations that is no matter. These are on the way of every page-table entry,
//! so at their sites there is a call, with nothing but registers to pass.

use arch::percpu::CpuSet;
use arch::{MmuOps, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use subarch_xen::Xen;

/// The frame of an entry.
#[inline(never)]
pub fn frame(pte: Pte) -> Option<Pfn> {
    Xen::frame(pte)
}

/// Drops what is cached of translations on other CPUs.
#[inline(never)]
pub fn flush_on(cpus: CpuSet, start: VirtAddr, end: VirtAddr) {
    Xen::flush_on(cpus, start..end);
}

/// Writes an entry of a page table.
///
/// # Safety
/// As [`MmuOps::set_entry`] asks, for the slot of these parts.
#[inline(never)]
pub unsafe fn set_entry(table: Pfn, level: PageTableLevel, address: VirtAddr, pte: Pte) {
    let slot = Slot { table, level, address };
    // SAFETY: the caller vouches for the same.
    unsafe { Xen::set_entry(slot, pte) };
}
