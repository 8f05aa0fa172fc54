//! Time from the processor's cycle counter, alarms from the local APIC's timer.
//!
//! Both count at rates that no table reliably tells, so at boot their rates are asked of CPUID, or else measured against a
//! clock whose rate is known since 1981. After that a time is one `rdtsc` and one multiplication, and an alarm is one store.

mod calendar;
mod frequency;
mod rate;
mod reference;

pub use frequency::{Frequencies, Source};
pub use rate::Rate;

use crate::{Native, apic};
use arch::{Instant, TimeOps};
use core::arch::x86_64::_rdtsc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use spin::Once;

/// The cycle counter's value at the clock's start.
pub(crate) static START: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds for a cycle. Until the rate is known the clock stands still.
pub(crate) static NANOSECONDS: Rate = Rate::zero();

/// Ticks of the alarm's timer for a nanosecond.
static TICKS: Rate = Rate::zero();

/// Nanoseconds since 1970 at the clock's start.
static WALL_CLOCK: AtomicU64 = AtomicU64::new(0);

/// What the rates were made of, to be told.
static FREQUENCIES: Once<Frequencies> = Once::new();

impl TimeOps for Native {
    #[inline]
    fn now() -> Instant {
        let cycles = Self::cycles();
        // SAFETY: it is written at boot, before other CPUs run; see `Rate::of` for why this is no atomic load. Read behind the counter, it
        // is an operand of the subtraction.
        let start = unsafe { *START.as_ptr() };
        Instant::from_nanoseconds(NANOSECONDS.of(cycles.wrapping_sub(start)))
    }

    #[inline(always)]
    fn cycles() -> u64 {
        // SAFETY: every 64-bit processor has the instruction, and `CR4.TSD` restricts it in user mode only.
        unsafe { _rdtsc() }
    }

    fn cycles_to_duration(cycles: u64) -> Duration {
        Duration::from_nanos(NANOSECONDS.of(cycles))
    }

    fn wall_clock() -> Duration {
        Duration::from_nanos(WALL_CLOCK.load(Relaxed) + Self::now().nanoseconds())
    }

    #[inline]
    fn set_alarm(deadline: Instant) {
        set_alarm_in(deadline.nanoseconds().saturating_sub(Self::now().nanoseconds()));
    }

    #[inline(always)]
    fn cancel_alarm() {
        apic::start_timer(0);
    }

    #[inline(always)]
    fn stolen() -> Duration {
        Duration::ZERO
    }

    fn clock_source() -> impl fmt::Display {
        ClockSource
    }
}

/// Sets this CPU's alarm to go off so many nanoseconds from now, or as far ahead as it can count.
#[inline(always)]
pub fn set_alarm_in(nanoseconds: u64) {
    // One tick at the least: zero would stop the timer. What it cannot count in one go it counts in several.
    let ticks = TICKS.of(nanoseconds.min(FARTHEST_ALARM)).clamp(1, u32::MAX.into());
    apic::start_timer(ticks as u32);
}

/// The rates of the clocks, once they are known.
pub fn frequencies() -> Option<Frequencies> {
    FREQUENCIES.get().copied()
}

/// Finds out the rates of the clocks and the date. The clock starts at cycle `start`.
///
/// `timer_port` is the power management timer's port, if there is one; `century` is the index of the century in the
/// calendar's memory, or 0.
///
/// # Errors
/// A phrase that says why there is no clock.
///
/// # Safety
/// The local APIC is set up; nobody else uses the PC's timer and its calendar.
pub(crate) unsafe fn set_up(start: u64, timer_port: Option<u16>, century: u8) -> Result<(), &'static str> {
    // SAFETY: the caller vouches for the devices.
    let found = unsafe { frequency::find(timer_port) }?;
    let frequencies = FREQUENCIES.call_once(|| found);
    START.store(start, Relaxed);
    NANOSECONDS.set(NANOSECONDS_PER_SECOND, frequencies.cycle_counter);
    TICKS.set(frequencies.timer, NANOSECONDS_PER_SECOND);
    // SAFETY: the caller vouches for the device.
    match unsafe { calendar::read(century) } {
        Some(seconds) => {
            let nanoseconds = seconds.saturating_mul(NANOSECONDS_PER_SECOND);
            WALL_CLOCK.store(nanoseconds.saturating_sub(Native::now().nanoseconds()), Relaxed);
        }
        None => log::warn!("the calendar holds no date: wall-clock time starts in 1970"),
    }
    Ok(())
}

/// The unit of the border's clock.
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// No timer of a plausible rate counts further in 32 bits: an hour and some.
const FARTHEST_ALARM: u64 = 5000 * NANOSECONDS_PER_SECOND;

/// Prints where the time comes from.
struct ClockSource;

impl fmt::Display for ClockSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match frequencies() {
            Some(found) => found.fmt(out),
            None => out.write_str("no clock yet"),
        }
    }
}
