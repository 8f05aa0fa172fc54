//! Time by the ROM's counter: cycles of a constant frequency, scaled to nanoseconds here.
//!
//! What a cycle is, is the hypervisor's choice, and may change once: when the ROM takes over. So the clock is a reading of the
//! counter, the moment at which it was taken, and the rate that call 66 tells; all three are taken anew at that point,
//! and time goes on where it was.

use crate::site::site;
use crate::{Vmi, native};
use arch::{Instant, TimeOps};
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use subarch_native::Native;
use subarch_native::time::Rate;
use vmi64::values;

const NANOSECONDS: u64 = 1_000_000_000;

/// A reading of the counter, and the moment in nanoseconds at which it was taken.
static START: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
/// Nanoseconds for a cycle. Until the boot code has measured anything, time stands still.
static CYCLE: Rate = Rate::zero();
/// Cycles for a nanosecond.
static NANOSECOND: Rate = Rate::zero();

/// Starts the clock, at the moment when the counter stood at `cycles`.
pub(crate) fn start(cycles: u64) {
    set(cycles, Instant::default());
}

/// Lets the clock go on from `moment` by the counter and the rate there are now.
pub(crate) fn resume(moment: Instant) {
    set(counter(values::COUNTER_REAL), moment);
}

fn set(cycles: u64, moment: Instant) {
    START[0].store(cycles, Relaxed);
    START[1].store(moment.nanoseconds(), Relaxed);
    let frequency = frequency();
    CYCLE.set(NANOSECONDS, frequency);
    NANOSECOND.set(frequency, NANOSECONDS);
}

/// The start of the clock, as a reading and a moment.
#[inline(always)]
fn started() -> (u64, u64) {
    (START[0].load(Relaxed), START[1].load(Relaxed))
}

impl TimeOps for Vmi {
    #[inline(never)]
    fn now() -> Instant {
        let (reading, moment) = started();
        let cycles = counter(values::COUNTER_REAL).wrapping_sub(reading);
        Instant::from_nanoseconds(moment + CYCLE.of(cycles))
    }

    #[inline(always)]
    fn cycles() -> u64 {
        let (low, high): (u64, u64);
        // SAFETY: reading the counter has no effect.
        unsafe { site!(Rdtsc, "rdtsc", out("rax") low, out("rdx") high, clobber_abi("sysv64")) }
        high << 32 | low
    }

    fn cycles_to_duration(cycles: u64) -> Duration {
        Native::cycles_to_duration(cycles)
    }

    #[inline(never)]
    fn wall_clock() -> Duration {
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

    #[inline(never)]
    fn set_alarm(deadline: Instant) {
        let (reading, moment) = started();
        let delay = deadline.nanoseconds().saturating_sub(moment);
        let expiry = reading.saturating_add(NANOSECOND.of(delay));
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

    #[inline(never)]
    fn cancel_alarm() {
        // SAFETY: whoever waits for the alarm asked for this.
        unsafe {
            site!(
                CancelAlarm, "call {function}",
                function = sym native::cancel_alarm, in("rdi") values::COUNTER_REAL, clobber_abi("sysv64"),
            );
        }
    }

    fn stolen() -> Duration {
        Duration::from_nanos(CYCLE.of(counter(values::COUNTER_STOLEN)))
    }

    fn clock_source() -> impl fmt::Display {
        Native::clock_source()
    }
}

/// Reads a counter of the ROM.
#[inline(always)]
fn counter(which: u64) -> u64 {
    let cycles;
    // SAFETY: reading a counter has no effect.
    unsafe {
        site!(
            GetCycleCounter,
            "rdtsc
            shl rdx, 32
            or rax, rdx
            cmp edi, 2
            jb 772f
            xor eax, eax
            772:",
            in("rdi") which, out("rax") cycles, clobber_abi("sysv64"),
        );
    }
    cycles
}

/// The frequency of the counters, in hertz.
fn frequency() -> u64 {
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
