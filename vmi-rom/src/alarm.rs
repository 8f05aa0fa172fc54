//! Alarms, on the timer of the local APIC.
//!
//! The kernel has chosen the timer's vector and divider; a ROM only sets the count. Registers by their offsets in the APIC's page:
//! Intel SDM, vol. 3, table 11-1.

use crate::clock::cycles;
use crate::facts;
use vmi64::values::{ALARM_COUNTER_MASK, COUNTER_AVAILABLE};

const INITIAL_COUNT: u64 = 0x380;
const CURRENT_COUNT: u64 = 0x390;

/// Call 68. The counters real and available are the same here, and anything else is no counter to wait for.
///
/// An expiry more than a second away sets the timer to a second: the kernel is told early, and asks again.
pub extern "sysv64" fn set_alarm(flags: u64, expiry: u64) {
    if flags & ALARM_COUNTER_MASK > COUNTER_AVAILABLE {
        return;
    }
    let second = facts::cycle_frequency();
    let delay = expiry.saturating_sub(cycles()).min(second.get());
    let count = delay * facts::alarm_frequency() / second;
    write(INITIAL_COUNT, count.clamp(1, u64::from(u32::MAX)) as u32);
}

/// Call 69: tells whether an alarm was dropped.
pub extern "sysv64" fn cancel_alarm(counter: u64) -> u64 {
    if counter > COUNTER_AVAILABLE || read(CURRENT_COUNT) == 0 {
        return 0;
    }
    write(INITIAL_COUNT, 0);
    1
}

fn write(register: u64, value: u32) {
    // SAFETY: the kernel gave the address at which it mapped this CPU's local APIC, whose timer it leaves to the ROM.
    unsafe { ((facts::LOCAL_APIC.get() + register) as *mut u32).write_volatile(value) }
}

fn read(register: u64) -> u32 {
    // SAFETY: as above; reading the current count changes nothing.
    unsafe { ((facts::LOCAL_APIC.get() + register) as *const u32).read_volatile() }
}
