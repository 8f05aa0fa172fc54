//! Page tables, written by plain stores.
//!
//! Nobody stands between the kernel and its tables here, so giving a table over or collecting updates is nothing at all, and
//! must compile to nothing. The work of this house is done once, at boot: see [`build`].
//!
//! The processor itself is the second reader of the tables, and a second writer too: it sets the accessed and dirty bits of an
//! entry whenever it likes. Stores to entries are therefore volatile, and 64 bits at once. And it remembers what it read:
//! an entry that is made stricter counts only after a flush. One that was empty is never remembered (Intel SDM, vol. 3,
//! 4.10.2.3), so adding a page needs none.

pub mod build;
pub mod devices;
pub mod shootdown;
pub mod tables;

pub use build::replace_page;

use crate::Native;
use arch::mmu::OutOfTables;
use arch::percpu::CpuSet;
use arch::{FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::arch::asm;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use x86_64::PhysAddr;
use x86_64::instructions::tlb;
use x86_64::registers::control::{Cr3, Cr3Flags, Cr4, Cr4Flags};
use x86_64::structures::paging::PhysFrame;

/// The bits of an entry that this processor has a meaning for, or ignores: it would trip over the others.
pub static SUPPORTED: AtomicU64 = AtomicU64::new(u64::MAX);

/// The flags that mark a page of a device's registers or memory: uncached or write-combining.
const DEVICE: PageTableFlags = PageTableFlags::NO_CACHE.union(PageTableFlags::WRITE_THROUGH);

/// The flags that this processor lacks.
pub fn unsupported() -> PageTableFlags {
    PageTableFlags::from_bits_truncate(!SUPPORTED.load(Relaxed))
}

/// The root of the kernel's own page tables, in which no user page is.
static KERNEL_ROOT: AtomicU64 = AtomicU64::new(0);

/// The root of the kernel's own page tables, from when the boot code has built them. Its upper half is in every other root as it is here.
pub fn kernel_root() -> Pfn {
    Pfn(KERNEL_ROOT.load(Relaxed))
}

/// Moves to `root`, and remembers it as [`kernel_root`].
///
/// # Safety
/// As for [`switch`]; it lives for ever.
pub(crate) unsafe fn use_kernel_root(root: Pfn) {
    KERNEL_ROOT.store(root.0, Relaxed);
    // SAFETY: the caller vouches for the tables.
    unsafe { switch(root) };
}

/// Makes `root` this CPU's page tables.
///
/// # Safety
/// They show the running code, its stack and all that it uses as the current ones do.
#[inline(always)]
pub(crate) unsafe fn switch(root: Pfn) {
    // SAFETY: the address of a frame is one of a frame; the caller vouches for the tables.
    unsafe {
        let root = PhysFrame::from_start_address_unchecked(PhysAddr::new_unsafe(root.address()));
        Cr3::write(root, Cr3Flags::empty());
    }
}

/// Remembers which flags the processor lacks.
pub(crate) fn set_unsupported(flags: PageTableFlags) {
    SUPPORTED.store(!flags.bits(), Relaxed);
}

impl MmuOps for Native {
    #[inline(always)]
    fn collects() -> bool {
        false
    }

    #[inline(always)]
    fn pte(frame: Pfn, flags: PageTableFlags) -> Pte {
        Pte::from_bits(frame.address() | flags.bits() & SUPPORTED.load(Relaxed))
    }

    #[inline(always)]
    fn frame(pte: Pte) -> Option<Pfn> {
        let kernels_own = pte.is_present() && !pte.flags().intersects(DEVICE);
        kernels_own.then_some(Pfn::containing(pte.bits() & Pte::FRAME_MASK))
    }

    #[inline(always)]
    fn root() -> Pfn {
        let root: u64;
        // SAFETY: reads which tables are in use. By the bare instruction, as the `x86_64` crate's wrapper masks bits that are zero.
        unsafe { asm!("mov {}, cr3", out(reg) root, options(nomem, nostack, preserves_flags)) };
        Pfn::containing(root)
    }

    /// # Safety
    /// As [`MmuOps::set_entry`] asks.
    #[inline(always)]
    unsafe fn set_entry(slot: Slot, pte: Pte) {
        debug_assert!(
            slot.level != PageTableLevel::Four || slot.index() < 256,
            "{slot:?} is in a half that all roots share, and would be changed in one"
        );
        // SAFETY: the caller vouches for the table and for the translation. The processor may read the entry at any time, and
        // sets bits in it, hence volatile.
        unsafe { slot.pointer().write_volatile(pte) };
    }

    /// # Safety
    /// As [`MmuOps::table_give`] asks.
    #[inline(always)]
    unsafe fn table_give(_table: Pfn, _level: PageTableLevel) {}

    /// # Safety
    /// As [`MmuOps::table_take`] asks.
    #[inline(always)]
    unsafe fn table_take(_table: Pfn, _level: PageTableLevel) {}

    /// # Safety
    /// As [`MmuOps::prepare_root`] asks.
    unsafe fn prepare_root(root: Pfn) {
        // SAFETY: the kernel's root is in the direct map, the other one too, and it is the caller's.
        unsafe { tables::copy_upper_half(kernel_root(), root) };
    }

    #[inline(always)]
    fn flush_page(address: VirtAddr) {
        tlb::flush(address);
    }

    fn flush_all() {
        let control = Cr4::read_raw();
        if control & Cr4Flags::PAGE_GLOBAL.bits() == 0 {
            return tlb::flush_all();
        }
        // SAFETY: whether translations survive a switch changes nothing about what they are; the bit is one that the
        // processor has, since it was set, and all others stay as they are.
        unsafe {
            Cr4::write_raw(control ^ Cr4Flags::PAGE_GLOBAL.bits());
            Cr4::write_raw(control);
        }
    }

    #[inline(never)]
    fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
        flush_on(cpus, pages);
    }

    #[inline(always)]
    fn lazy_begin() {}

    #[inline(always)]
    fn lazy_end() {}

    /// # Safety
    /// As [`MmuOps::map_direct`] asks.
    #[inline(always)]
    unsafe fn map_direct(_frames: FrameRange, _table: impl FnMut() -> Option<Pfn>) -> Result<(), OutOfTables> {
        Ok(())
    }
}

/// [`MmuOps::flush_on`] in line, for whoever makes a function of it.
#[inline(always)]
pub fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
    shootdown::flush_on::<Native>(cpus, pages, |_| false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_name_the_frames_of_memory_and_no_others() {
        let flags = PageTableFlags::PRESENT | PageTableFlags::NO_EXECUTE;
        let entry = Native::pte(Pfn(0x1234), flags);
        assert_eq!(entry.bits(), 0x8000_0000_0123_4001);
        assert_eq!(Native::frame(entry), Some(Pfn(0x1234)));
        assert_eq!(
            Native::frame(Native::pte(Pfn(0xfee00), flags | PageTableFlags::NO_CACHE)),
            None
        );
        assert_eq!(Native::frame(Pte::EMPTY), None);
    }
}
