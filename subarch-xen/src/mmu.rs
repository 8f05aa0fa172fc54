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
use crate::hypercall::mmu::{Cpus, Extended, FEW, Invalidate, Mfn, Update, extended, extended_few, update_va_mapping};
use crate::p2m;
use arch::layout::PAGE_SIZE;
use arch::mmu::OutOfTables;
use arch::percpu::{CpuSet, this_cpu};
use arch::{CpuOps, FrameRange, IrqOps, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use queue::Queue;
use tree::{TABLE, WRITABLE_DATA, descend, fill};

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
    const COLLECTS: bool = true;

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
        // SAFETY: the caller vouches for the translation.
        on_this_cpu(|cpu| unsafe { cpu.queue.push(update(slot, pte)) });
    }

    /// # Safety
    /// As [`MmuOps::table_give`] asks.
    unsafe fn table_give(table: Pfn, level: PageTableLevel) {
        protect(table, Right::Read);
        if level == PageTableLevel::Four {
            settle(Extended::PinRoot(p2m::machine(table)));
        }
    }

    /// # Safety
    /// As [`MmuOps::table_take`] asks.
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

/// What may be done with a frame through the direct map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Right {
    /// It is a page table.
    Read,
    /// It is ordinary memory.
    Write,
}

/// Changes the right to `frame` in the direct map, at once or, in lazy MMU mode, in its turn.
///
/// A right that is taken away Xen drops from the caches itself, before it takes the frame for a page table. One that is given
/// is its guest's business: another CPU may have read the table there, and would fault on its first write.
fn protect(frame: Pfn, right: Right) {
    on_this_cpu(|cpu| {
        if cpu.queue.is_collecting() {
            protect_later(&cpu.queue, frame, right);
        } else {
            protect_now(frame, right);
        }
    });
}

/// Changes the right to `frame` by the hypercall that finds the entry itself.
fn protect_now(frame: Pfn, right: Right) {
    let stale = match right {
        Right::Read => Invalidate::Here,
        Right::Write => Invalidate::Everywhere,
    };
    // SAFETY: the callers give a page table over, which is only read from then on, or take one back that is nobody's.
    unsafe { update_va_mapping(frame.direct().as_u64(), right.entry(frame).bits(), stale) }.granted();
}

/// Changes the right to `frame` by an update in the queue, and what is cached of a lesser one with it.
fn protect_later(queue: &Queue, frame: Pfn, right: Right) {
    let slot = tree::slot_of(Xen::root(), frame.direct()).expect("page tables are in the direct map");
    if right == Right::Write {
        queue.outdate(slot.address);
    }
    // SAFETY: as in `protect_now`.
    unsafe { queue.push(update(slot, right.entry(frame))) };
}

impl Right {
    /// The entry of the direct map that gives it.
    fn entry(self, frame: Pfn) -> Pte {
        let flags = match self {
            Self::Read => WRITABLE_DATA.difference(PageTableFlags::WRITABLE),
            Self::Write => WRITABLE_DATA,
        };
        Xen::pte(frame, flags)
    }
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
