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

pub mod first;
pub mod queue;
pub mod tree;

use crate::Xen;
use crate::cpu::Cpu;
use crate::hypercall::Granted;
use crate::hypercall::mmu::{Cpus, Extended, Invalidate, Mfn, Update, extended, update_va_mapping};
use crate::p2m;
use arch::layout::PAGE_SIZE;
use arch::mmu::OutOfTables;
use arch::percpu::CpuSet;
use arch::{CpuOps, FrameRange, IrqOps, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tree::{TABLE, WRITABLE_DATA, descend, fill};

/// What each operation costs with Xen 4.17, in guest instructions:
///
/// | operation | instructions |
/// |---|---|
/// | `set_entry` | 1,200; in lazy MMU mode 730 |
/// | `table_give` | 1,100 for the rights in the direct map; 166 for each present entry of the tree when it is pinned or entered |
/// | `switch` | 660 |
/// | `flush_page`, `flush_all` | 540, 550 |
///
/// Whatever refers to a table or flushes makes the waiting updates first, so nobody sees them out of order.
impl MmuOps for Xen {
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
        on_this_cpu(Cpu::root)
    }

    /// # Safety
    /// As [`MmuOps::set_entry`] asks.
    unsafe fn set_entry(slot: Slot, pte: Pte) {
        let table = p2m::machine(slot.table).0 * PAGE_SIZE;
        let update = Update {
            entry: table + slot.index() as u64 * 8,
            value: pte.bits(),
        };
        // SAFETY: the caller vouches for the translation.
        on_this_cpu(|cpu| unsafe { cpu.queue.push(update) });
    }

    /// # Safety
    /// As [`MmuOps::table_give`] asks.
    unsafe fn table_give(table: Pfn, level: PageTableLevel) {
        flush_queue();
        protect(table, WRITABLE_DATA.difference(PageTableFlags::WRITABLE));
        if level == PageTableLevel::Four {
            // SAFETY: pinning only validates; the caller completed the table.
            unsafe { extended(Extended::PinRoot(p2m::machine(table))) }.granted();
        }
    }

    /// # Safety
    /// As [`MmuOps::table_take`] asks.
    unsafe fn table_take(table: Pfn, level: PageTableLevel) {
        flush_queue();
        if level == PageTableLevel::Four {
            // SAFETY: the caller promises that no CPU uses the root.
            unsafe { extended(Extended::Unpin(p2m::machine(table))) }.granted();
        }
        protect(table, WRITABLE_DATA);
    }

    /// # Safety
    /// As [`MmuOps::switch`] asks.
    unsafe fn switch(root: Pfn) {
        flush_queue();
        on_this_cpu(|cpu| {
            // SAFETY: the caller vouches for the root.
            unsafe { extended(Extended::NewBase(p2m::machine(root))) }.granted();
            cpu.set_root(root);
        });
    }

    fn flush_page(address: VirtAddr) {
        flush_queue();
        // SAFETY: dropping what is cached changes no translation.
        unsafe { extended(Extended::InvalidateLocal(address.as_u64())) }.granted();
    }

    fn flush_all() {
        flush_queue();
        // SAFETY: as above.
        unsafe { extended(Extended::FlushLocal) }.granted();
    }

    /// Xen interrupts only those processors that may have something of this domain cached, and it is Xen that they answer, whatever
    /// the kernel there has masked.
    fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) {
        flush_queue();
        let cpus = Cpus::from_bits(cpus.bits());
        let operation = match pages.end.as_u64().saturating_sub(pages.start.as_u64()) {
            0 => return,
            1..=PAGE_SIZE => Extended::InvalidateOn(pages.start.as_u64(), &cpus),
            _ => Extended::FlushOn(&cpus),
        };
        // SAFETY: as above.
        unsafe { extended(operation) }.granted();
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
        flush_queue();
        for chunk in tree::chunks(frames) {
            // SAFETY: the caller gives the frames of `table` away, and the direct map's own addresses are nobody else's.
            unsafe { map_chunk(chunk, &mut table)? };
        }
        Ok(())
    }
}

/// A bit that processor and Xen leave to the kernel: the entry names a frame that is none of ours. Of such a frame Xen's table
/// of owners may have no entry at all (a device's registers), so nobody must look there.
const FOREIGN: PageTableFlags = PageTableFlags::BIT_9;

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
static ALLOWED: AtomicU64 = AtomicU64::new(PageTableFlags::all().difference(PageTableFlags::GLOBAL).bits());

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

/// Maps frames that share a table of level 1.
///
/// # Safety
/// As for [`MmuOps::map_direct`].
unsafe fn map_chunk(chunk: FrameRange, table: &mut impl FnMut() -> Option<Pfn>) -> Result<(), OutOfTables> {
    let address = chunk.start.direct();
    let directory = descend(Xen::root(), address, |slot| {
        let new = table()?;
        // SAFETY: the frame is ours, and an empty table is a valid one.
        unsafe { hook(slot, new, tree::clear) };
        Some(new)
    });
    let slot = Slot {
        table: directory.ok_or(OutOfTables)?,
        level: PageTableLevel::Two,
        address,
    };
    match Xen::frame(tree::read(slot)).filter(|_| tree::read(slot).is_present()) {
        // SAFETY: the entries are those of free frames in the direct map.
        Some(existing) => unsafe { add(existing, chunk) },
        None => {
            let new = table().ok_or(OutOfTables)?;
            // SAFETY: the frame is ours; it is filled with valid entries before it is given over.
            unsafe { hook(slot, new, |new| fill(new, chunk)) };
        }
    }
    Ok(())
}

/// Has `write` complete the new table `table`, gives it over, and enters it at `slot`.
///
/// # Safety
/// The frame is in the direct map and nobody's; `write` makes it a valid table of the level below the slot's.
unsafe fn hook(slot: Slot, table: Pfn, write: impl FnOnce(Pfn)) {
    write(table);
    let level = slot.level.next_lower_level().expect("tables are entered above level 1");
    // SAFETY: the caller vouches for both.
    unsafe {
        Xen::table_give(table, level);
        Xen::set_entry(slot, Xen::pte(table, TABLE));
    }
}

/// Enters `frames` into a table of level 1 that is in use.
///
/// # Safety
/// As for [`MmuOps::map_direct`].
unsafe fn add(table: Pfn, frames: FrameRange) {
    Xen::lazy_begin();
    for frame in frames.iter() {
        let slot = Slot {
            table,
            level: PageTableLevel::One,
            address: frame.direct(),
        };
        // SAFETY: the caller promises free frames, whose entries nobody else writes.
        unsafe { Xen::set_entry(slot, Xen::pte(frame, WRITABLE_DATA)) };
    }
    Xen::lazy_end();
}

/// Changes the rights to `frame` in the direct map.
///
/// A right that is taken away Xen drops from the caches itself, before it takes the frame for a page table. One that is given
/// is its guest's business: another CPU may have read the table there, and would fault on its first write.
fn protect(frame: Pfn, flags: PageTableFlags) {
    let entry = Xen::pte(frame, flags).bits();
    let stale = if flags.contains(PageTableFlags::WRITABLE) {
        Invalidate::Everywhere
    } else {
        Invalidate::Here
    };
    // SAFETY: the callers give a page table over, which is only read from then on, or take one back that is nobody's.
    unsafe { update_va_mapping(frame.direct().as_u64(), entry, stale) }.granted();
}

/// Makes the updates that wait on this CPU.
fn flush_queue() {
    on_this_cpu(|cpu| cpu.queue.flush());
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
