//! Xen's operations as functions, for where an operation of the bare machine is in line.
//!
//! What stands out of line at a site should be a call and nothing else: everything that is in line there competes with the bare machine's
//! instructions for registers. For the same reason all arguments are words, since one that goes through memory would be kept there on a bare
//! machine as well.

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
