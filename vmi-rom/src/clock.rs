//! The cycle counter, and the calendar by it.
//!
//! The calendar is read from the battery-backed clock once, at *Init*: it ticks in seconds and answers slowly. From then on
//! the cycle counter carries it.

use crate::cell::Cell;
use crate::{cmos, facts};

const NANOSECONDS: u64 = 1_000_000_000;

/// Nanoseconds since 1970 at the moment of *Init*, and the cycle counter at the same moment.
static START: Cell<(u64, u64)> = Cell::new((0, 0));

/// Reads the calendar. Part of *Init*.
pub fn start() {
    let now = (cmos::seconds_since_1970() * NANOSECONDS, cycles());
    // SAFETY: Init runs alone, with interrupts masked.
    unsafe { START.set(now) }
}

/// The time-stamp counter.
#[inline(always)]
pub fn cycles() -> u64 {
    // SAFETY: reading the counter has no effect on anything.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Call 66.
pub extern "sysv64" fn frequency() -> u64 {
    facts::cycle_frequency().get()
}

/// Call 70.
pub extern "sysv64" fn wall_clock() -> u64 {
    let (nanoseconds, start) = START.get();
    let elapsed = cycles().wrapping_sub(start);
    let second = facts::cycle_frequency();
    nanoseconds + elapsed / second * NANOSECONDS + elapsed % second * NANOSECONDS / second
}
