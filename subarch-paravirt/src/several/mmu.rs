//! Page tables.

use super::site::{branch, choose};
use super::{Bare, Paravirt, xen};
use arch::mmu::OutOfTables;
use arch::percpu::CpuSet;
use arch::{FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::arch::asm;
use core::ops::Range;
use subarch_xen::Xen;

impl MmuOps for Paravirt {
    #[inline(always)]
    fn collects() -> bool {
        choose!(Bare::collects(), Xen::collects())
    }

    #[inline(always)]
    fn pte(frame: Pfn, flags: PageTableFlags) -> Pte {
        choose!(Bare::pte(frame, flags), Xen::pte(frame, flags))
    }

    /// What a bare machine does, in line, whose comparison is the branch: this is on each level of every walk.
    #[inline(always)]
    fn frame(pte: Pte) -> Option<Pfn> {
        /// What tells that an entry is for memory of a bare machine: it is present, and cached as memory is.
        const KIND: PageTableFlags = PageTableFlags::PRESENT
            .union(PageTableFlags::WRITE_THROUGH)
            .union(PageTableFlags::NO_CACHE);
        // SAFETY: a comparison, and jumps to where this block says.
        unsafe {
            asm!(
                "771:",
                ".fill 2, 1, 0x2e",
                "cmp {kind:e}, {PRESENT}",
                branch!(),
                "jne {none}",
                kind = in(reg) pte.bits() & KIND.bits(),
                PRESENT = const PageTableFlags::PRESENT.bits(),
                none = label { return None },
                xen = label { return xen::frame(pte) },
                options(nomem, nostack),
            );
        }
        Some(Pfn::containing(pte.bits() & Pte::FRAME_MASK))
    }

    #[inline(always)]
    fn root() -> Pfn {
        choose!(Bare::root(), Xen::root())
    }

    /// # Safety
    /// As [`MmuOps::set_entry`] asks.
    #[inline(always)]
    unsafe fn set_entry(slot: Slot, pte: Pte) {
        // SAFETY: the caller vouches for the same.
        unsafe {
            choose!(
                Bare::set_entry(slot, pte),
                xen::set_entry(slot.table, slot.level, slot.address, pte)
            )
        }
    }

    /// # Safety
    /// As [`MmuOps::table_give`] asks.
    #[inline(always)]
    unsafe fn table_give(table: Pfn, level: PageTableLevel) {
        // SAFETY: the caller vouches for the same.
        unsafe { choose!(Bare::table_give(table, level), Xen::table_give(table, level)) }
    }

    /// # Safety
    /// As [`MmuOps::table_take`] asks.
    #[inline(always)]
    unsafe fn table_take(table: Pfn, level: PageTableLevel) {
        // SAFETY: the caller vouches for the same.
        unsafe { choose!(Bare::table_take(table, level), Xen::table_take(table, level)) }
    }

    /// # Safety
    /// As [`MmuOps::prepare_root`] asks.
    unsafe fn prepare_root(root: Pfn) {
        // SAFETY: the caller vouches for the same.
        unsafe { choose!(Bare::prepare_root(root), Xen::prepare_root(root)) }
    }

    #[inline(always)]
    fn flush_page(address: VirtAddr) {
        choose!(Bare::flush_page(address), Xen::flush_page(address))
    }

    fn flush_all() {
        choose!(Bare::flush_all(), Xen::flush_all())
    }

    #[inline(always)]
    fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
        choose!(Bare::flush_on(cpus, pages), xen::flush_on(cpus, pages.start, pages.end))
    }

    #[inline(always)]
    fn lazy_begin() {
        choose!(Bare::lazy_begin(), Xen::lazy_begin())
    }

    #[inline(always)]
    fn lazy_end() {
        choose!(Bare::lazy_end(), Xen::lazy_end())
    }

    /// # Safety
    /// As [`MmuOps::map_direct`] asks.
    unsafe fn map_direct(frames: FrameRange, table: impl FnMut() -> Option<Pfn>) -> Result<(), OutOfTables> {
        // SAFETY: the caller vouches for the same.
        unsafe { choose!(Bare::map_direct(frames, table), Xen::map_direct(frames, table)) }
    }
}
