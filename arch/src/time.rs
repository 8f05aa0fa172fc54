//! Time: a clock that never goes back, a calendar, and one alarm per CPU.
//!
//! A hypervisor knows the time better than its guest, which only sees the moments in which it runs. So the core never
//! counts ticks: it reads a clock, and asks for exactly one interrupt at the moment it next has something to do.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A moment on the platform's monotonic clock, in nanoseconds since an arbitrary start that does not change while the
/// kernel runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Instant(u64);

impl Instant {
    /// The moment `nanoseconds` after the clock's start.
    #[inline(always)]
    pub const fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since the clock's start.
    #[inline(always)]
    pub const fn nanoseconds(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// The moment `span` later; the far future stands for everything beyond 584 years.
    #[inline]
    fn add(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// The time from `earlier` to `self`; zero if `earlier` is in truth the later one.
    #[inline]
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:06}", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
    }
}

/// Clocks and the alarm of the executing CPU.
pub trait TimeOps {
    /// The current moment. Never less than any answer given before, on whatever CPU.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `rdtsc`, scaled | `rdtsc`, scaled by the `vcpu_time_info` page | call 75, *GetRealCycles*, scaled |
    fn now() -> Instant;

    /// The processor's cycle counter, raw: the unit is whatever one tick of it is.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `rdtsc` | `rdtsc` | call 27, *RDTSC* |
    ///
    /// For measuring short stretches on one CPU. Under `qemu -icount shift=0` one tick is one guest instruction.
    fn cycles() -> u64;

    /// How long a stretch of `cycles` on the [`cycles`](Self::cycles) counter lasts.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | scaled as `now` | scaled as `now` | by call 66, *GetCycleFrequency*, where the counters are the same; else as native |
    fn cycles_to_duration(cycles: u64) -> Duration;

    /// Time since 1970-01-01 00:00 UTC, leap seconds not counted.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | the CMOS clock, read once at boot, plus `now` | `shared_info.wc_*` plus system time | call 70, *GetWallclockTime* |
    fn wall_clock() -> Duration;

    /// Asks for one [`Interrupt::Alarm`](crate::Interrupt::Alarm) on this CPU at `deadline`, or as soon after as possible.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | local APIC timer, one-shot | `VCPUOP_set_singleshot_timer` | call 68, *SetAlarm* |
    ///
    /// Replaces the alarm set before. A deadline that has passed raises the interrupt at once. It may arrive early by the
    /// clock's rounding, or because the hardware counts no further: the handler looks at the clock and sets it again.
    fn set_alarm(deadline: Instant);

    /// Drops the alarm of this CPU. One that already became pending may still arrive.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | initial count 0 | `VCPUOP_stop_singleshot_timer` | call 69, *CancelAlarm* |
    fn cancel_alarm();

    /// Time during which this CPU wanted to run and the hypervisor ran somebody else. Always zero on bare metal.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | 0 | `VCPUOP_get_runstate_info`: runnable + offline | call 67 with counter 2, *stolen* |
    fn stolen() -> Duration;

    /// One phrase for the boot report on where the time comes from, such as `TSC at 2596 MHz, APIC timer at 62 MHz`.
    fn clock_source() -> impl fmt::Display;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_saturate_instead_of_wrapping() {
        let late = Instant::from_nanoseconds(u64::MAX - 1);
        assert_eq!(late + Duration::from_secs(1), Instant::from_nanoseconds(u64::MAX));
        assert_eq!(Instant::from_nanoseconds(5) - late, Duration::ZERO);
    }

    #[test]
    fn instants_print_as_seconds() {
        assert_eq!(Instant::from_nanoseconds(61_000_001_999).to_string(), "61.000001");
    }
}
