//! Time in the ROM's way: the sites behind the detours, and what is asked rarely.

use super::{CYCLE, NANOSECOND, NANOSECONDS, real_cycles};
use crate::site::site;
use crate::{Vmi, native};
use arch::{Instant, TimeOps};
use core::time::Duration;
use vmi64::values;

/// No alarm is set farther than this many nanoseconds ahead: the core sets it again when it goes off early, and here no product of a
/// rate and a moment in a far future can wrap around.
const FARTHEST: u64 = 3600 * NANOSECONDS;

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

/// Call 68.
#[cold]
pub fn set_alarm(deadline: Instant) {
    let delay = deadline.nanoseconds().saturating_sub(Vmi::now().nanoseconds());
    let expiry = real_cycles().saturating_add(NANOSECOND.of(delay.min(FARTHEST)));
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
