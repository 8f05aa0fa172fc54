//! Time in the ROM's way: the sites behind the detours, and what is asked rarely.

use super::{CYCLE, START};
use crate::native;
use crate::site::site;
use arch::Instant;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use vmi64::values;

/// No alarm is set for a later moment than this, in nanoseconds: 36 years. So no number of cycles can wrap around.
const LATEST: u64 = 1 << 60;

/// Call 66: the frequency of the counters, in hertz.
pub(super) fn frequency() -> u64 {
    let frequency;
    // SAFETY: asking has no effect.
    unsafe {
        site!(
            GetCycleFrequency, "call {function}",
            function = sym native::cycle_frequency, out("rax") frequency, clobber_abi("sysv64"),
        );
    }
    frequency
}

/// Call 67, for the counter of stolen time.
#[cold]
pub(super) fn stolen() -> Duration {
    let cycles;
    // SAFETY: reading a counter has no effect.
    unsafe {
        site!(
            GetCycleCounter,
            "rdtsc
            shl rdx, 32
            or rax, rdx
            cmp edi, 2
            jb 774f
            xor eax, eax
            774:",
            in("rdi") values::COUNTER_STOLEN, out("rax") cycles, clobber_abi("sysv64"),
        );
    }
    Duration::from_nanos(CYCLE.of(cycles))
}

/// Call 68. When the counter will be where the clock shows the deadline follows from where it started: it need not be read, which in a
/// domain of Xen's may cost as much as setting the alarm.
#[cold]
pub fn set_alarm(deadline: Instant) {
    let cycles = CYCLE.least(deadline.nanoseconds().min(LATEST));
    let expiry = START.load(Relaxed).wrapping_add(cycles);
    // SAFETY: the alarm's interrupt has a handler.
    unsafe {
        site!(
            SetAlarm, "call {function}",
            function = sym native::set_alarm,
            in("rdi") values::COUNTER_REAL | values::ALARM_WIRED_LVTT, in("rsi") expiry,
            clobber_abi("sysv64"),
        );
    }
}

/// Call 69.
pub extern "sysv64" fn cancel_alarm() {
    // SAFETY: whoever waits for the alarm asked for this.
    unsafe {
        site!(
            CancelAlarm, "call {function}",
            function = sym native::cancel_alarm, in("rdi") values::COUNTER_REAL, clobber_abi("sysv64"),
        );
    }
}

/// Call 70.
pub(super) fn wall_clock() -> Duration {
    let nanoseconds;
    // SAFETY: reading the clock has no effect.
    unsafe {
        site!(
            GetWallclockTime, "call {function}",
            function = sym native::wall_clock, out("rax") nanoseconds, clobber_abi("sysv64"),
        );
    }
    Duration::from_nanos(nanoseconds)
}
