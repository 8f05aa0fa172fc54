//! Page tables.

use super::irq::deliver;
use super::site::{answer, becomes, call, choose, detour, operation};
use super::{Bare, Paravirt, flush_on_bare};
use arch::layout::{DIRECT_MAP, IMAGE_BASE};
use arch::mmu::OutOfTables;
use arch::percpu::{CpuSet, DISTANCE_OFFSET};
use arch::{FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::arch::asm;
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use subarch_native::mmu::SUPPORTED;
use subarch_xen::{UPCALL_MASK, UPCALL_PENDING, Xen, assembly};

/// Which bits of an entry are the frame's address.
static FRAME_MASK: u64 = Pte::FRAME_MASK;

/// Whether hypercalls are counted, which assembly code does not do.
const COUNTED: u8 = arch::calls::COUNTED as u8;

impl MmuOps for Paravirt {
    #[inline(always)]
    fn collects() -> bool {
        choose!(Bare::collects(), Xen::collects())
    }

    /// What a bare machine does, whose last instruction is the site.
    #[inline(always)]
    fn pte(frame: Pfn, flags: PageTableFlags) -> Pte {
        let mut pte = flags.bits() & SUPPORTED.load(Relaxed);
        // SAFETY: it reads what was found out at boot, and changes no more than it says.
        unsafe {
            asm!(
                arch::site_text!("2", "or {pte}, {address}"),
                detour!(subarch_xen::pte_in_assembly!()),
                "779:",
                pte = inout(reg) pte, address = inout(reg) frame.address() => _, machine = out(reg) _,
                ALLOWED = sym assembly::ALLOWED, FRAMES = sym assembly::FRAMES,
                MACHINE_FRAMES = sym assembly::MACHINE_FRAMES, LIST = sym assembly::LIST_IN_VIEW,
                refuse = sym assembly::refuse,
                options(pure, readonly, nostack),
            );
        }
        Pte::from_bits(pte)
    }

    /// What a bare machine does, whose last instruction is the site: this is on each level of every walk. Whatever is not the kernel's
    /// is marked in the entry, by the flags of a device or Xen's; but the entries of Xen's own tables, which a walk may come across, have no mark.
    /// They lead to a table in which nothing is mapped.
    #[inline(always)]
    fn frame(pte: Pte) -> Option<Pfn> {
        const KIND: u64 = PageTableFlags::PRESENT.bits() | FOREIGN;
        const FOREIGN: u64 = PageTableFlags::WRITE_THROUGH
            .union(PageTableFlags::NO_CACHE)
            .union(assembly::FOREIGN)
            .bits();
        if pte.bits() & KIND != PageTableFlags::PRESENT.bits() {
            return None;
        }
        let mut address = pte.bits();
        // SAFETY: it reads what was found out at boot and Xen's table, and changes no more than it says. The frame's address, and nothing
        // else, is what either platform leaves.
        unsafe {
            asm!(
                arch::site_text!("2", "and {pte}, [rip + {FRAME_MASK}]"),
                detour!(subarch_xen::frame_in_assembly!()),
                "779:",
                pte = inout(reg) address, FRAME_MASK = sym FRAME_MASK, first = out(reg) _, second = out(reg) _,
                MACHINE_TO_PHYSICAL = const assembly::MACHINE_TO_PHYSICAL,
                FRAMES = sym assembly::FRAMES, MACHINE_FRAMES = sym assembly::MACHINE_FRAMES,
                LIST = sym assembly::LIST_IN_VIEW, EMPTY = sym assembly::EMPTY,
                IMAGE_BASE = const IMAGE_BASE.cast_signed(),
                options(pure, readonly, nostack),
            );
            core::hint::assert_unchecked(address & !Pte::FRAME_MASK == 0);
        }
        Some(Pfn::containing(address))
    }

    #[inline(always)]
    fn root() -> Pfn {
        // SAFETY: it reads which tables are in use. The kernel sets none of the bits that are not the root's address.
        Pfn::containing(unsafe {
            answer!(
                5, "mov {answer}, cr3", becomes!("mov {answer}, [{ROOT}]"), GetCR3 => "mov rax, cr3",
                ROOT = sym assembly::ROOT,
            )
        })
    }

    /// # Safety
    /// As [`MmuOps::set_entry`] asks.
    #[inline(always)]
    unsafe fn set_entry(slot: Slot, pte: Pte) {
        arch::keeping_registers!(
            keeping_for_xen,
            assembly::set_entry,
            ["push {value}", "push {index}", "push {table}"]
        );
        // SAFETY: the caller vouches for the table and for the translation.
        unsafe {
            operation!(
                2, "mov [{table} + {index}*8], {value}",
                detour!(subarch_xen::set_entry_in_assembly!()),
                SetPxE => subarch_vmi::for_parent::set_entry, ["push {value}", "push {index}", "push {table}"],
                table = in(reg) DIRECT_MAP + slot.table.address(), index = in(reg) slot.index(), value = in(reg) pte.bits(),
                first = out(reg) _, second = out(reg) _, third = out(reg) _,
                MASK = const UPCALL_MASK, PENDING = const UPCALL_PENDING, DISTANCE = const DISTANCE_OFFSET,
                CPU = sym assembly::CPU, COLLECTING = const assembly::COLLECTING, LENGTH = const assembly::LENGTH,
                CAPACITY = const assembly::CAPACITY, UPDATES = const assembly::UPDATES, OUTDATED = const assembly::OUTDATED,
                MMU_UPDATE = const assembly::MMU_UPDATE, SELF = const assembly::SELF, COUNTED = const COUNTED,
                DIRECT_MAP = sym assembly::DIRECT_MAP_START, FRAMES = sym assembly::FRAMES,
                LIST = sym assembly::LIST_IN_VIEW,
                set_entry = sym keeping_for_xen, deliver = sym deliver,
                options(nostack),
            );
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
        arch::keeping_registers!(keeping_for_xen, assembly::flush_page, ["push {address}"]);
        // SAFETY: a dropped translation is read from the tables again when it is needed.
        unsafe {
            operation!(
                2, "invlpg [{address}]",
                detour!("push {address}\ncall {xen}\njmp 779f"),
                InvalPage => subarch_vmi::for_parent::flush_page, ["push {address}"],
                address = in(reg) address.as_u64(), xen = sym keeping_for_xen,
                options(nostack),
            );
        }
    }

    fn flush_all() {
        choose!(Bare::flush_all(), Xen::flush_all())
    }

    /// A call on either platform.
    #[inline(always)]
    fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
        // SAFETY: both are functions of this convention, and ask nothing of their callers.
        unsafe {
            call!(
                as_bare::flush_on, as_xen::flush_on,
                in("rdi") cpus.bits(), in("rsi") pages.start.as_u64(), in("rdx") pages.end.as_u64(),
            );
        }
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

/// Operations as functions of words, on a bare machine.
mod as_bare {
    use super::{CpuSet, VirtAddr, flush_on_bare};

    pub extern "sysv64" fn flush_on(cpus: u64, start: VirtAddr, end: VirtAddr) {
        flush_on_bare(CpuSet::from_bits(cpus), start..end);
    }
}

/// The same under Xen.
mod as_xen {
    use super::{CpuSet, MmuOps, VirtAddr, Xen};

    pub extern "sysv64" fn flush_on(cpus: u64, start: VirtAddr, end: VirtAddr) {
        Xen::flush_on(CpuSet::from_bits(cpus), start..end);
    }
}
