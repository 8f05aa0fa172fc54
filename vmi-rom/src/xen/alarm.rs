//! Alarms, by the timer that Xen has for each virtual CPU.
//!
//! An expiry is a moment of system time, which is what the timer takes: nothing is converted, and nothing is too far away.

use crate::xen::clock;
use crate::xen::{cpu, hypercall};
use core::sync::atomic::Ordering::Relaxed;
use vmi64::values::{ALARM_COUNTER_MASK, COUNTER_AVAILABLE, COUNTER_REAL};

/// Call 68. What is available falls behind what is real by what is stolen, and may fall behind further: the kernel is told early then, and
/// asks again.
pub extern "sysv64" fn set_alarm(flags: u64, expiry: u64) {
    let deadline = match flags & ALARM_COUNTER_MASK {
        COUNTER_REAL => expiry,
        COUNTER_AVAILABLE => expiry.saturating_add(clock::stolen()),
        _ => return,
    };
    hypercall::set_timer(cpu::this().number.load(Relaxed), deadline);
}

/// Call 69: tells that an alarm was dropped only if it was certain, which it never is.
pub extern "sysv64" fn cancel_alarm(_counter: u64) -> u64 {
    hypercall::stop_timer(cpu::this().number.load(Relaxed));
    0
}
