//! Page tables that the ROM is told about.
//!
//! A hypervisor beneath a ROM may keep shadows of the kernel's page tables, or use the very tables; either way it must learn which
//! frames are tables and what is written to them. The entries themselves are those of bare metal. A ROM that needs to know
//! nothing has the notices erased, and then all that is left of this room is padding.

pub(crate) mod by_rom;

use crate::Vmi;
use crate::detour::{answer, detour, taken};
use arch::layout::DIRECT_MAP;
use arch::mmu::OutOfTables;
use arch::percpu::CpuSet;
use arch::{FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::ops::Range;
use subarch_native::Native;
use subarch_native::mmu::shootdown;

impl MmuOps for Vmi {
    #[inline(always)]
    fn collects() -> bool {
        taken!(SetLazyMode)
    }

    #[inline(always)]
    fn pte(frame: Pfn, flags: PageTableFlags) -> Pte {
        Native::pte(frame, flags)
    }

    #[inline(always)]
    fn frame(pte: Pte) -> Option<Pfn> {
        Native::frame(pte)
    }

    #[inline(always)]
    fn root() -> Pfn {
        // SAFETY: reading the register has no effect. The kernel sets none of the bits that are not the root's address.
        Pfn::containing(unsafe { answer!(GetCR3, 2, "mov {answer}, cr3", "mov rax, cr3") })
    }

    /// # Safety
    /// As [`MmuOps::set_entry`] asks.
    #[inline(always)]
    unsafe fn set_entry(slot: Slot, pte: Pte) {
        // SAFETY: the caller vouches for the table and for the translation.
        unsafe {
            detour!(
                SetPxE, 1, "mov [{table} + {index}*8], {value}",
                by_rom::set_entry, ["push {value}", "push {index}", "push {table}"],
                table = in(reg) DIRECT_MAP + slot.table.address(), index = in(reg) slot.index(), value = in(reg) pte.bits(),
                options(nostack),
            );
        }
    }

    /// # Safety
    /// As [`MmuOps::table_give`] asks.
    #[inline(always)]
    unsafe fn table_give(table: Pfn, level: PageTableLevel) {
        // SAFETY: a notice. The caller vouches that the frame is a table of this level from now on.
        unsafe {
            detour!(
                AllocatePage, 0, ".nops 5",
                by_rom::table_give, ["push {level:r}", "push {table}"],
                table = in(reg) table.0, level = in(reg) by_rom::level(level),
                options(nostack),
            );
        }
    }

    /// # Safety
    /// As [`MmuOps::table_take`] asks.
    #[inline(always)]
    unsafe fn table_take(table: Pfn, level: PageTableLevel) {
        // SAFETY: a notice. The caller vouches that the frame is no table any more.
        unsafe {
            detour!(
                ReleasePage, 0, ".nops 5",
                by_rom::table_take, ["push {level:r}", "push {table}"],
                table = in(reg) table.0, level = in(reg) by_rom::level(level),
                options(nostack),
            );
        }
    }

    /// # Safety
    /// As [`MmuOps::prepare_root`] asks.
    unsafe fn prepare_root(root: Pfn) {
        // SAFETY: the caller's promises are those that this asks for.
        unsafe { Native::prepare_root(root) };
    }

    #[inline(always)]
    fn flush_page(address: VirtAddr) {
        // SAFETY: a dropped translation is read from the tables again when it is needed.
        unsafe {
            detour!(
                InvalPage, 2, "invlpg [{address}]",
                by_rom::flush_page, ["push {address}"],
                address = in(reg) address.as_u64(),
                options(nostack),
            );
        }
    }

    fn flush_all() {
        if taken!(FlushTLB) {
            by_rom::flush_all();
        } else {
            Native::flush_all();
        }
    }

    #[inline(never)]
    fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
        flush_on(cpus, pages);
    }

    #[inline(always)]
    fn lazy_begin() {
        // SAFETY: a notice. What is queued from here on is carried out when the mode ends; the core keeps the thread on this CPU.
        unsafe { detour!(SetLazyMode, 0, ".nops 5", by_rom::lazy_begin, [], options(nostack)) }
    }

    #[inline(always)]
    fn lazy_end() {
        // SAFETY: as above.
        unsafe { detour!(SetLazyMode, 0, ".nops 5", by_rom::lazy_end, [], options(nostack)) }
    }

    /// # Safety
    /// As [`MmuOps::map_direct`] asks.
    #[inline(always)]
    unsafe fn map_direct(frames: FrameRange, table: impl FnMut() -> Option<Pfn>) -> Result<(), OutOfTables> {
        // SAFETY: the caller's promises are those that this asks for.
        unsafe { Native::map_direct(frames, table) }
    }
}

/// [`MmuOps::flush_on`] in line, for whoever makes a function of it. A ROM that takes care of other CPUs does so without their help.
#[inline(always)]
pub fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
    shootdown::flush_on::<Vmi>(cpus, pages, |others| {
        let taken = taken!(FlushOn);
        if taken {
            by_rom::flush_on(others);
        }
        taken
    });
}
