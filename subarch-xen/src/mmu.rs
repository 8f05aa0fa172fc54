//! Page tables under a hypervisor that reads every entry.
//!
//! With direct paging the processor walks the very tables the guest built. There is no second set to keep in step, and no
//! cost at run time; but an entry names a frame of the machine, so Xen must see each one before the processor does. Every
//! table is read-only to the guest, in the direct map as everywhere, and every change is a hypercall. Two things make that
//! cheap. Changes to tables in use are collected and made many at a time ([`queue`]); and new tables are built in private
//! memory, where a store is a store, and given over in one go, which costs a quarter for each entry.
//!
//! Xen adds bits of its own to an entry (a kernel's page is marked as such in bit 52 and open to ring 3, since that is where
//! a guest's kernel runs), so what is read back is not bit for bit what was written.

pub mod direct;
pub mod first;
pub mod queue;
pub mod tree;

use crate::Xen;
use crate::cpu::Cpu;
use crate::hypercall::Granted;
use crate::hypercall::mmu::{Cpus, Extended, FEW, Mfn, Update, extended, extended_few};
use crate::p2m;
use arch::layout::PAGE_SIZE;
use arch::mmu::OutOfTables;
use arch::percpu::{CpuSet, this_cpu};
use arch::{CpuOps, FrameRange, IrqOps, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use direct::{Right, map_chunk, protect};

/// The address of the kernel's root, on which every CPU runs from its first moment here on: programs have roots of their own beside it.
pub static ROOT: AtomicU64 = AtomicU64::new(0);

/// What each operation costs with Xen 4.17, in guest instructions:
///
/// | operation | instructions |
/// |---|---|
/// | `set_entry` | 1,200; in lazy MMU mode 730 |
/// | `table_give`, `table_take` | 1,100 for the rights in the direct map, in lazy MMU mode 850; 166 for each present entry of the tree when it is pinned or entered |
/// | `flush_page`, `flush_all` | 540, 550 |
///
/// Whatever refers to a table or flushes makes the waiting updates first, so nobody sees them out of order.
impl MmuOps for Xen {
    #[inline(always)]
    fn collects() -> bool {
        true
    }

    #[inline]
    fn pte(frame: Pfn, flags: PageTableFlags) -> Pte {
        entry(p2m::machine(frame), flags)
    }

    #[inline]
    fn frame(pte: Pte) -> Option<Pfn> {
        if pte.flags().contains(FOREIGN) {
            return None;
        }
        p2m::frame(Mfn((pte.bits() & Pte::FRAME_MASK) / PAGE_SIZE))
    }

    #[inline(always)]
    fn root() -> Pfn {
        Pfn::containing(ROOT.load(Relaxed))
    }

    /// # Safety
    /// As [`MmuOps::set_entry`] asks.
    unsafe fn set_entry(slot: Slot, pte: Pte) {
        // SAFETY: the caller vouches for the translation.
        on_this_cpu(|cpu| unsafe { cpu.queue.push(update(slot, pte)) });
    }

    /// Not in line, like all that ends in a hypercall.
    ///
    /// # Safety
    /// As [`MmuOps::table_give`] asks.
    #[inline(never)]
    unsafe fn table_give(table: Pfn, level: PageTableLevel) {
        protect(table, Right::Read);
        if level == PageTableLevel::Four {
            settle(Extended::PinRoot(p2m::machine(table)));
        }
    }

    /// Not in line, like all that ends in a hypercall.
    ///
    /// # Safety
    /// As [`MmuOps::table_take`] asks.
    #[inline(never)]
    unsafe fn table_take(table: Pfn, level: PageTableLevel) {
        if level == PageTableLevel::Four {
            settle(Extended::Unpin(p2m::machine(table)));
        }
        protect(table, Right::Write);
    }

    /// Nothing: a program's tree has no part of the kernel, and Xen enters its own when it is given the root.
    ///
    /// # Safety
    /// As [`MmuOps::prepare_root`] asks.
    #[inline(always)]
    unsafe fn prepare_root(_root: Pfn) {}

    fn flush_page(address: VirtAddr) {
        flush_queue();
        // SAFETY: dropping what is cached changes no translation.
        unsafe { extended([Extended::InvalidateLocal(address.as_u64())]) }.granted();
    }

    fn flush_all() {
        flush_queue();
        // SAFETY: as above.
        unsafe { extended([Extended::FlushLocal]) }.granted();
    }

    /// Xen interrupts only those processors that may have something of this domain cached, and it is Xen that they answer, whatever
    /// the kernel there has masked.
    ///
    /// A program's pages are dropped as well as the kernel's, though it is the kernel's tree that is loaded meanwhile: Xen marks
    /// them global, and where it cannot, exchanging the trees drops everything.
    fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
        flush_queue();
        let alone = on_this_cpu(|_| {
            let alone = cpus == CpuSet::only(this_cpu());
            if alone {
                invalidate(&pages, Extended::InvalidateLocal, Extended::FlushLocal);
            }
            alone
        });
        if !alone {
            let cpus = Cpus::from_bits(cpus.bits());
            let page = |address| Extended::InvalidateOn(address, &cpus);
            invalidate(&pages, page, Extended::FlushOn(&cpus));
        }
    }

    fn lazy_begin() {
        on_this_cpu(|cpu| cpu.queue.collect());
    }

    fn lazy_end() {
        on_this_cpu(|cpu| cpu.queue.release());
    }

    /// # Safety
    /// As [`MmuOps::map_direct`] asks.
    unsafe fn map_direct(frames: FrameRange, mut table: impl FnMut() -> Option<Pfn>) -> Result<(), OutOfTables> {
        at_once(|| {
            for chunk in tree::chunks(frames) {
                // SAFETY: the caller gives the frames of `table` away, and the direct map's own addresses are nobody else's.
                unsafe { map_chunk(chunk, &mut table)? };
            }
            Ok(())
        })
    }
}

/// A bit that processor and Xen leave to the kernel: the entry names a frame that is none of ours. Of such a frame Xen's table
/// of owners may have no entry at all (a device's registers), so nobody must look there.
pub const FOREIGN: PageTableFlags = PageTableFlags::BIT_9;

/// The entry that maps a frame of Xen's or of the machine's.
pub fn foreign(frame: Mfn, flags: PageTableFlags) -> Pte {
    entry(frame, flags | FOREIGN)
}

/// The entry that maps `frame`, with those of `flags` that are allowed.
#[inline(always)]
fn entry(frame: Mfn, flags: PageTableFlags) -> Pte {
    Pte::from_bits((frame.0 * PAGE_SIZE) | (flags.bits() & ALLOWED.load(Relaxed)))
}

/// The flags that an entry may have. Global translations would survive the way to user mode, where the kernel's must not be
/// seen, so Xen wants none of the kernel's to be global; and not every processor has no-execute.
pub static ALLOWED: AtomicU64 = AtomicU64::new(PageTableFlags::all().difference(PageTableFlags::GLOBAL).bits());

/// Learns which flags the processor has.
pub fn learn_flags() {
    const EXTENDED_FEATURES: u32 = 0x8000_0001;
    const NO_EXECUTE: u32 = 1 << 20;
    if Xen::cpuid(EXTENDED_FEATURES, 0).edx & NO_EXECUTE == 0 {
        ALLOWED.fetch_and(!PageTableFlags::NO_EXECUTE.bits(), Relaxed);
    }
}

/// Whether execution can be forbidden.
pub fn has_no_execute() -> bool {
    ALLOWED.load(Relaxed) & PageTableFlags::NO_EXECUTE.bits() != 0
}

/// The update that makes `slot` hold `pte`.
#[inline(always)]
fn update(slot: Slot, pte: Pte) -> Update {
    Update {
        entry: p2m::machine(slot.table).0 * PAGE_SIZE + slot.index() as u64 * 8,
        value: pte.bits(),
    }
}

/// Drops what is cached of the translations of `pages`: by operation `page` for each, if they are few, else by `everything`.
fn invalidate<'a>(pages: &Range<VirtAddr>, page: impl Fn(u64) -> Extended<'a>, everything: Extended<'a>) {
    let (start, end) = (pages.start.as_u64(), pages.end.as_u64());
    let count = end.saturating_sub(start).div_ceil(PAGE_SIZE);
    // SAFETY: dropping what is cached changes no translation.
    unsafe {
        match usize::try_from(count) {
            Ok(0) => return,
            Ok(few) if few <= FEW => extended_few(few, |number| page(start + number as u64 * PAGE_SIZE)),
            _ => extended([everything]),
        }
    }
    .granted();
}

/// Pins or unpins a root, after the updates that wait.
///
/// Xen interrupts itself in a long operation and has the guest repeat the hypercall, but keeps what is left to do with the CPU it
/// began on. An event in between could move the thread to another, and leave a root half unpinned. So events are masked.
fn settle(operation: Extended<'_>) {
    on_this_cpu(|cpu| {
        cpu.queue.flush();
        // SAFETY: pinning only validates; unpinning is for roots that no CPU uses.
        unsafe { extended([operation]) }.granted();
    });
}

/// Makes the updates that wait on this CPU.
#[inline]
pub fn flush_queue() {
    on_this_cpu(|cpu| cpu.queue.flush());
}

/// Does something that reads entries it has just written, outside of lazy MMU mode, which goes on afterwards.
fn at_once<T>(act: impl FnOnce() -> T) -> T {
    let was_collecting = on_this_cpu(|cpu| cpu.queue.release());
    let done = act();
    if was_collecting {
        Xen::lazy_begin();
    }
    done
}

/// Does something to this CPU's state: no handler sees it half done, and the CPU stays the same.
#[inline(always)]
fn on_this_cpu<T>(act: impl FnOnce(&Cpu) -> T) -> T {
    let flags = Xen::save();
    // SAFETY: events are masked, so nothing takes us away from this CPU.
    let done = act(unsafe { Cpu::this() });
    Xen::restore(flags);
    done
}
