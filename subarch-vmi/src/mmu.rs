//! Page tables that the ROM is told about.
//!
//! A hypervisor beneath a ROM may keep shadows of the kernel's page tables, or use the very tables; either way it must learn which
//! frames are tables and what is written to them. The entries themselves are those of bare metal. A ROM that needs to know
//! nothing has the notices erased, and then all that is left of this room is padding.

use crate::Vmi;
use crate::native;
use crate::site::site;
use arch::mmu::OutOfTables;
use arch::percpu::CpuSet;
use arch::{FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::ops::Range;
use subarch_native::Native;
use subarch_native::mmu::{kernel_root, shootdown};
use vmi64::values;

/// Which entries of a root are the kernel's, the same in all: from this on, and as many.
const KERNEL_HALF: u64 = 256;

impl MmuOps for Vmi {
    const COLLECTS: bool = true;

    #[inline(always)]
    fn pte(frame: Pfn, flags: PageTableFlags) -> Pte {
        Native::pte(frame, flags)
    }

    #[inline(always)]
    fn frame(pte: Pte) -> Option<Pfn> {
        Native::frame(pte)
    }

    #[inline(never)]
    fn root() -> Pfn {
        let root: u64;
        // SAFETY: reading the register has no effect.
        unsafe { site!(GetCR3, "mov rax, cr3", out("rax") root, clobber_abi("sysv64")) }
        Pfn::containing(root & Pte::FRAME_MASK)
    }

    /// # Safety
    /// As [`MmuOps::set_entry`] asks.
    #[inline(always)]
    unsafe fn set_entry(slot: Slot, pte: Pte) {
        // SAFETY: the caller vouches for the table and for the translation.
        unsafe {
            site!(
                SetPxE, "mov [rsi], rdi",
                in("rdi") pte.bits(), in("rsi") slot.pointer(), in("rdx") level(slot.level), in("rcx") slot.address.as_u64(),
                clobber_abi("sysv64"),
            );
        }
    }

    /// # Safety
    /// As [`MmuOps::table_give`] asks.
    #[inline(never)]
    unsafe fn table_give(table: Pfn, level_of_table: PageTableLevel) {
        let is_root_of_programs = level_of_table == PageTableLevel::Four && table != kernel_root();
        let (flags, original, first, count) = match is_root_of_programs {
            true => (values::ALLOCATE_CLONE, kernel_root().0, KERNEL_HALF, KERNEL_HALF),
            false => (0, 0, 0, 0),
        };
        // SAFETY: a notice. The caller vouches that the frame is a table from now on; `prepare_root` has copied the kernel's half.
        unsafe {
            site!(
                AllocatePage, "",
                in("rdi") table.0, in("rsi") level(level_of_table) | flags, in("rdx") original, in("rcx") first, in("r8") count,
                clobber_abi("sysv64"),
            );
        }
    }

    /// # Safety
    /// As [`MmuOps::table_take`] asks.
    #[inline(never)]
    unsafe fn table_take(table: Pfn, level_of_table: PageTableLevel) {
        // SAFETY: a notice. The caller vouches that the frame is no table any more.
        unsafe { site!(ReleasePage, "", in("rdi") table.0, in("rsi") level(level_of_table), clobber_abi("sysv64")) }
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
        unsafe { site!(InvalPage, "invlpg [rdi]", in("rdi") address.as_u64(), clobber_abi("sysv64")) }
    }

    #[inline(never)]
    fn flush_all() {
        // SAFETY: as for a single page.
        unsafe {
            site!(
                FlushTLB, "call {function}",
                function = sym native::flush_tlb, in("rdi") values::FLUSH_TLB | values::FLUSH_GLOBAL, clobber_abi("sysv64"),
            );
        }
    }

    fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
        shootdown::flush_on::<Self>(cpus, pages);
    }

    #[inline(always)]
    fn lazy_begin() {
        set_lazy_mode(values::LAZY_MMU);
    }

    #[inline(always)]
    fn lazy_end() {
        set_lazy_mode(values::LAZY_NONE);
    }

    /// # Safety
    /// As [`MmuOps::map_direct`] asks.
    #[inline(always)]
    unsafe fn map_direct(frames: FrameRange, table: impl FnMut() -> Option<Pfn>) -> Result<(), OutOfTables> {
        // SAFETY: the caller's promises are those that this asks for.
        unsafe { Native::map_direct(frames, table) }
    }
}

/// Declares that `pages` pages from `address` on show the frames from `first` on, for the addresses in later calls.
pub(crate) fn set_linear_mapping(address: VirtAddr, pages: u64, first: Pfn) {
    /// Which of the four mappings: the direct map is the first, and the only one of this kernel.
    const SLOT: u64 = 0;
    // SAFETY: a notice of what is so.
    unsafe {
        site!(
            SetLinearMapping, "",
            in("rdi") SLOT, in("rsi") address.as_u64(), in("rdx") pages, in("rcx") first.0,
            clobber_abi("sysv64"),
        );
    }
}

#[inline(always)]
fn set_lazy_mode(mode: u64) {
    // SAFETY: a notice. What is queued from here on is carried out when the mode ends, before the kernel relies on it.
    unsafe { site!(SetLazyMode, "", in("rdi") mode, clobber_abi("sysv64")) }
}

/// The ABI's name for a level.
#[inline(always)]
fn level(level: PageTableLevel) -> u64 {
    match level {
        PageTableLevel::One => values::LEVEL_PT,
        PageTableLevel::Two => values::LEVEL_PD,
        PageTableLevel::Three => values::LEVEL_PDP,
        PageTableLevel::Four => values::LEVEL_PML4,
    }
}
