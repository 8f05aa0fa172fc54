//! What the kernel told at *Init*, kept for the calls that need it.

use crate::cell::Cell;
use core::num::NonZeroU64;
use vmi64::{InitRecord, MAJOR, Refusal};

/// Virtual address of physical address 0 in the direct map.
pub static DIRECT_MAP: Cell<u64> = Cell::new(0);
/// Virtual address of the local APIC's registers.
pub static LOCAL_APIC: Cell<u64> = Cell::new(0);
/// Distance of a ROM's per-CPU bytes from the GS base.
pub static PER_CPU_OFFSET: Cell<u64> = Cell::new(0);
static CYCLE_FREQUENCY: Cell<u64> = Cell::new(0);
static ALARM_FREQUENCY: Cell<u64> = Cell::new(0);

/// Checks the record and keeps what is in it.
pub fn remember(record: &InitRecord) -> Result<(), Refusal> {
    if (record.size as usize) < size_of::<InitRecord>() || record.major != u16::from(MAJOR) {
        return Err(Refusal::RECORD);
    }
    if record.local_apic == 0 || record.cycle_frequency == 0 || record.alarm_frequency == 0 {
        return Err(Refusal::TIMER);
    }
    if record.per_cpu_size < vmi64::PER_CPU_SIZE as u32 {
        return Err(Refusal::MEMORY);
    }
    // SAFETY: the kernel calls Init once, on one CPU, with interrupts masked and before any other call.
    unsafe {
        DIRECT_MAP.set(record.direct_map);
        LOCAL_APIC.set(record.local_apic);
        PER_CPU_OFFSET.set(u64::from(record.per_cpu_offset));
        CYCLE_FREQUENCY.set(record.cycle_frequency);
        ALARM_FREQUENCY.set(record.alarm_frequency);
    }
    Ok(())
}

/// Ticks of the cycle counter in a second; one if *Init* was never called, which no kernel does.
pub fn cycle_frequency() -> NonZeroU64 {
    NonZeroU64::new(CYCLE_FREQUENCY.get()).unwrap_or(NonZeroU64::MIN)
}

/// Ticks of the APIC's timer in a second.
pub fn alarm_frequency() -> u64 {
    ALARM_FREQUENCY.get()
}
