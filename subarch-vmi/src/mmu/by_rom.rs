//! The same operations in the ROM's way: the sites behind the detours, and two notices at the takeover.
//!
//! What a ROM is told here is more than bare metal needs to know, such as which part of a new root is a copy of another. It is found
//! out here, where only those come whom a ROM wants to hear from.
//!
//! The functions take numbers, as a [detour](crate::detour) hands them over.

use crate::native;
use crate::site::{notice, site};
use arch::percpu::CpuSet;
use arch::{PageTableLevel, Pfn, Pte, VirtAddr};
use subarch_native::mmu::kernel_root;
use vmi64::values;

/// Which entries of a root are the kernel's, the same in all: from this on, and as many.
const KERNEL_HALF: u64 = 256;

/// Call 38, for an entry of the table that the direct map shows at `table`.
///
/// # Safety
/// As [`MmuOps::set_entry`](arch::MmuOps::set_entry) asks.
pub unsafe extern "sysv64" fn set_entry(table: *mut Pte, index: usize, bits: u64) {
    let entry = table.wrapping_add(index);
    // SAFETY: the caller vouches for the table and for the translation.
    unsafe { site!(SetPxE, "mov [rsi], rdi", in("rdi") bits, in("rsi") entry, clobber_abi("sysv64")) }
}

/// Call 44, for a frame that is to be a table of `level`.
pub(crate) extern "sysv64" fn table_give(table: u64, level: u64) {
    let kernels = kernel_root().0;
    let is_root_of_programs = level == values::LEVEL_PML4 && table != kernels;
    let (flags, original, first, count) = match is_root_of_programs {
        true => (values::ALLOCATE_CLONE, kernels, KERNEL_HALF, KERNEL_HALF),
        false => (0, 0, 0, 0),
    };
    // SAFETY: a notice. Who gives the table over vouches that it is one from now on; `prepare_root` has copied the kernel's half.
    unsafe {
        notice!(
            AllocatePage,
            in("rdi") table, in("rsi") level | flags, in("rdx") original, in("rcx") first, in("r8") count,
            clobber_abi("sysv64"),
        );
    }
}

/// Call 45, for a frame that was a table of `level`.
pub(super) extern "sysv64" fn table_take(table: u64, level: u64) {
    // SAFETY: a notice. Who takes the table back vouches that it is none any more.
    unsafe { notice!(ReleasePage, in("rdi") table, in("rsi") level, clobber_abi("sysv64")) }
}

/// Call 46.
pub extern "sysv64" fn flush_page(address: u64) {
    // SAFETY: a dropped translation is read from the tables again when it is needed.
    unsafe { site!(InvalPage, "invlpg [rdi]", in("rdi") address, clobber_abi("sysv64")) }
}

/// Call 47.
#[cold]
pub(super) fn flush_all() {
    // SAFETY: as for a single page.
    unsafe {
        site!(
            FlushTLB, "call {function}",
            function = sym native::flush_tlb, in("rdi") values::FLUSH_TLB | values::FLUSH_GLOBAL, clobber_abi("sysv64"),
        );
    }
}

/// Call 79.
#[cold]
pub(super) fn flush_on(cpus: CpuSet) {
    // SAFETY: as for a single page.
    unsafe {
        site!(
            FlushOn, "call {function}",
            function = sym native::flush_on, in("rdi") cpus.bits(), clobber_abi("sysv64"),
        );
    }
}

/// Call 73, for the mode of page tables.
pub(super) extern "sysv64" fn lazy_begin() {
    set_lazy_mode(values::LAZY_MMU);
}

/// Call 73, for no mode.
pub(super) extern "sysv64" fn lazy_end() {
    set_lazy_mode(values::LAZY_NONE);
}

/// Call 48: `pages` pages from `address` on show the frames from `first` on, for the addresses in later calls.
pub(crate) fn set_linear_mapping(address: VirtAddr, pages: u64, first: Pfn) {
    /// Which of the four mappings: the direct map is the first, and the only one of this kernel.
    const SLOT: u64 = 0;
    // SAFETY: a notice of what is so.
    unsafe {
        notice!(
            SetLinearMapping,
            in("rdi") SLOT, in("rsi") address.as_u64(), in("rdx") pages, in("rcx") first.0,
            clobber_abi("sysv64"),
        );
    }
}

#[inline(always)]
fn set_lazy_mode(mode: u64) {
    // SAFETY: a notice. What is queued from here on is carried out when the mode ends, before the kernel relies on it.
    unsafe { notice!(SetLazyMode, in("rdi") mode, clobber_abi("sysv64")) }
}

/// The ABI's name for a level.
#[inline(always)]
pub(crate) const fn level(level: PageTableLevel) -> u64 {
    match level {
        PageTableLevel::One => values::LEVEL_PT,
        PageTableLevel::Two => values::LEVEL_PD,
        PageTableLevel::Three => values::LEVEL_PDP,
        PageTableLevel::Four => values::LEVEL_PML4,
    }
}
