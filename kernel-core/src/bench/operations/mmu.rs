//! Page tables and the translations cached from them.

use super::super::Benchmark;
use super::super::meter::{Figures, consume, hidden, measure, measure_in_registers, measure_part, measure_several};
use super::super::scratch::{self, SCRATCH, give_frame};
use crate::mm::{self, frames};
use crate::platform::Platform;
use arch::layout::PAGE_SIZE;
use arch::percpu::{CpuSet, this_cpu};
use arch::{ByHand, FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};

pub(in super::super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::leaf("mmu.pte", ByHand::Pte, pte),
    Benchmark::leaf("mmu.frame", ByHand::Frame, frame),
    Benchmark::leaf("mmu.root", ByHand::Root, root),
    Benchmark::leaf("mmu.set_entry", ByHand::SetEntry, set_entry),
    Benchmark::new("mmu.set_entry-lazy", set_entry_lazy),
    Benchmark::leaf("mmu.table_give", ByHand::TableGive, || table_give(PageTableLevel::One)),
    Benchmark::leaf("mmu.table_take", ByHand::TableTake, || table_take(PageTableLevel::One)),
    Benchmark::new("mmu.table_give-root", || table_give(PageTableLevel::Four)),
    Benchmark::new("mmu.table_take-root", || table_take(PageTableLevel::Four)),
    Benchmark::new("mmu.prepare_root", prepare_root),
    Benchmark::leaf("mmu.flush_page", ByHand::FlushPage, flush_page),
    Benchmark::new("mmu.flush_all", || measure(Platform::flush_all)),
    Benchmark::new("mmu.flush_on", flush_on),
    Benchmark::leaf("mmu.lazy", ByHand::Lazy, lazy),
    Benchmark::leaf("mmu.map_direct", ByHand::MapDirect, map_direct),
];

/// What a page of data may be used for.
const DATA: PageTableFlags = PageTableFlags::PRESENT
    .union(PageTableFlags::WRITABLE)
    .union(PageTableFlags::NO_EXECUTE);

fn pte() -> Figures {
    measure_in_registers((scratch_frame().0, DATA.bits()), |(frame, flags)| {
        let (frame, flags) = (hidden(frame), hidden(flags));
        consume(Platform::pte(Pfn(frame), PageTableFlags::from_bits_retain(flags)).bits());
        (frame, flags)
    })
}

fn frame() -> Figures {
    measure_in_registers(Platform::pte(scratch_frame(), DATA).bits(), |pte| {
        let pte = hidden(pte);
        if let Some(frame) = Platform::frame(Pte::from_bits(pte)) {
            consume(frame.0);
        }
        pte
    })
}

/// Some frame of the kernel's memory.
fn scratch_frame() -> Pfn {
    let frame = scratch::take_frame();
    give_frame(frame);
    frame
}

fn root() -> Figures {
    measure_in_registers((), |()| consume(Platform::root().0))
}

/// Writes an entry of a table in use, the same again and again.
fn set_entry() -> Figures {
    let page = scratch::Page::map();
    let (table, address) = (page.slot.table.0, page.slot.address.as_u64());
    let pte = Platform::pte(page.frame, DATA).bits();
    measure_in_registers((table, address, pte), |(table, address, pte)| {
        let (table, address, pte) = (hidden(table), hidden(address), hidden(pte));
        let slot = Slot {
            table: Pfn(table),
            level: PageTableLevel::One,
            // SAFETY: the address is that of the page.
            address: unsafe { VirtAddr::new_unsafe(address) },
        };
        // SAFETY: nobody refers to the page, nor writes the same table while the kernel measures.
        unsafe { Platform::set_entry(slot, Pte::from_bits(pte)) };
        (table, address, pte)
    })
}

/// Writes an entry among 32 that are written in lazy mode; the mode's beginning and end are part of it.
fn set_entry_lazy() -> Figures {
    const TOGETHER: u64 = 32;
    let page = scratch::Page::map();
    let pte = Platform::pte(page.frame, DATA);
    measure_several(TOGETHER, || {
        let _lazy = mm::lazy();
        (0..TOGETHER).for_each(|_| page.set(pte));
    })
}

/// An empty page table of `level` that is an ordinary frame yet.
fn new_table(level: PageTableLevel) -> Pfn {
    let table = frames::allocate_zeroed().expect("memory for a table");
    if level == PageTableLevel::Four {
        // SAFETY: the frame was just allocated.
        unsafe { Platform::prepare_root(table) };
    }
    table
}

fn give(table: Pfn, level: PageTableLevel) -> Pfn {
    // SAFETY: the frame is ours, a valid table, and not written.
    unsafe { Platform::table_give(table, level) };
    table
}

fn take(table: Pfn, level: PageTableLevel) -> Pfn {
    // SAFETY: it was given over, and nothing refers to it.
    unsafe { Platform::table_take(table, level) };
    table
}

fn table_give(level: PageTableLevel) -> Figures {
    measure_part(
        1,
        || new_table(level),
        |table| give(table, level),
        |table| give_frame(take(table, level)),
    )
}

fn table_take(level: PageTableLevel) -> Figures {
    measure_part(
        1,
        || give(new_table(level), level),
        |table| take(table, level),
        give_frame,
    )
}

fn prepare_root() -> Figures {
    let empty = || frames::allocate_zeroed().expect("memory for a root");
    let prepare = |root| {
        // SAFETY: the frame was just allocated.
        unsafe { Platform::prepare_root(root) };
        root
    };
    measure_part(1, empty, prepare, give_frame)
}

fn flush_page() -> Figures {
    measure_in_registers(SCRATCH.as_u64(), |address| {
        let address = hidden(address);
        // SAFETY: it is that of a page.
        Platform::flush_page(unsafe { VirtAddr::new_unsafe(address) });
        address
    })
}

/// Has this CPU drop a page, by the operation that could name others as well.
fn flush_on() -> Figures {
    measure(|| Platform::flush_on(CpuSet::only(this_cpu()), SCRATCH..SCRATCH + PAGE_SIZE))
}

/// Begins to collect, and ends without having collected anything.
fn lazy() -> Figures {
    measure_in_registers((), |()| {
        Platform::lazy_begin();
        Platform::lazy_end();
    })
}

/// Brings no frame into the direct map.
fn map_direct() -> Figures {
    let nothing = FrameRange::new(Pfn(0), Pfn(0));
    measure_in_registers((), |()| {
        // SAFETY: there is no frame in question.
        unsafe { Platform::map_direct(nothing, || None) }.expect("nothing needs no table");
    })
}
