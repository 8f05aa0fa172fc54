//! Page tables.

use super::probes;
use crate::platform::Platform;
use arch::mmu::OutOfTables;
use arch::percpu::CpuSet;
use arch::{FrameRange, MmuOps, PageTableFlags, PageTableLevel, Pfn, Pte, Slot, VirtAddr};
use core::ops::Range;

probes! {
    "probe.MmuOps.collects": fn collects() -> bool { Platform::collects() }
    "probe.MmuOps.pte": fn pte(frame: Pfn, flags: PageTableFlags) -> Pte { Platform::pte(frame, flags) }
    "probe.MmuOps.frame": fn frame(pte: Pte) -> Option<Pfn> { Platform::frame(pte) }
    "probe.MmuOps.root": fn root() -> Pfn { Platform::root() }
    "probe.MmuOps.set_entry": fn set_entry(table: Pfn, level: PageTableLevel, address: VirtAddr, pte: Pte) {
        // SAFETY: never executed.
        unsafe { Platform::set_entry(Slot { table, level, address }, pte) }
    }
    "probe.MmuOps.set_entry.level_1": fn set_entry_level_1(table: Pfn, address: VirtAddr, pte: Pte) {
        // SAFETY: never executed.
        unsafe { Platform::set_entry(Slot { table, level: PageTableLevel::One, address }, pte) }
    }
    "probe.MmuOps.table_give": fn table_give(table: Pfn, level: PageTableLevel) {
        // SAFETY: never executed.
        unsafe { Platform::table_give(table, level) }
    }
    "probe.MmuOps.table_take": fn table_take(table: Pfn, level: PageTableLevel) {
        // SAFETY: never executed.
        unsafe { Platform::table_take(table, level) }
    }
    "probe.MmuOps.prepare_root": fn prepare_root(root: Pfn) {
        // SAFETY: never executed.
        unsafe { Platform::prepare_root(root) }
    }
    "probe.MmuOps.flush_page": fn flush_page(address: VirtAddr) { Platform::flush_page(address) }
    "probe.MmuOps.flush_all": fn flush_all() { Platform::flush_all() }
    "probe.MmuOps.flush_on": fn flush_on(cpus: CpuSet, pages: Range<VirtAddr>) { Platform::flush_on(cpus, pages) }
    "probe.MmuOps.lazy_begin": fn lazy_begin() { Platform::lazy_begin() }
    "probe.MmuOps.lazy_end": fn lazy_end() { Platform::lazy_end() }
    "probe.MmuOps.map_direct": fn map_direct(frames: FrameRange) -> Result<(), OutOfTables> {
        // SAFETY: never executed.
        unsafe { Platform::map_direct(frames, || None) }
    }
}
