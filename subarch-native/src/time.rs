//! Time from the processor's cycle counter, alarms from the local APIC's timer.
//!
//! Both count at rates that no table reliably tells, so at boot their rates are asked of CPUID, or else measured against a
//! clock whose rate is known since 1981. After that a time is one `rdtsc` and one multiplication, and an alarm is one store.

mod calendar;
mod frequency;
mod rate;
mod reference;

pub use pc_firmware::rates::{Frequencies, Source};
pub use rate::Rate;

use crate::{Native, apic};
use arch::{Instant, TimeOps};
use core::arch::asm;
use core::arch::x86_64::_rdtsc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use spin::Once;

/// The cycle counter's value at the clock's start.
pub static START: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds for a cycle. Until the rate is known the clock stands still.
pub static NANOSECONDS: Rate = Rate::zero();

/// Ticks of the alarm's timer for a nanosecond.
pub static TICKS: Rate = Rate::zero();

/// How many nanoseconds the alarm's timer can count in one go.
pub static FARTHEST: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds since 1970 at the clock's start.
pub(crate) static WALL_CLOCK: AtomicU64 = AtomicU64::new(0);

/// What the rates were made of, to be told.
static FREQUENCIES: Once<Frequencies> = Once::new();

impl TimeOps for Native {
    #[inline]
    fn now() -> Instant {
        let cycles = Self::cycles();
        // Read behind the counter, the start is an operand of the subtraction.
        Instant::from_nanoseconds(NANOSECONDS.of(cycles.wrapping_sub(known(&START))))
    }

    #[inline(always)]
    fn cycles() -> u64 {
        // SAFETY: every 64-bit processor has the instruction, and `CR4.TSD` restricts it in user mode only.
        unsafe { _rdtsc() }
    }

    #[inline]
    fn cycles_to_duration(cycles: u64) -> Duration {
        duration(NANOSECONDS.of(cycles))
    }

    #[inline]
    fn wall_clock() -> Duration {
        duration(Self::now().nanoseconds().wrapping_add(known(&WALL_CLOCK)))
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
    // What the timer cannot count in one go it counts in several. An odd number of ticks, as zero would stop it: one too many is noticed by
    // nobody.
    apic::start_timer(TICKS.of(nanoseconds.min(known(&FARTHEST))) as u32 | 1);
}

/// What was found out at boot.
#[inline(always)]
fn known(value: &AtomicU64) -> u64 {
    // SAFETY: it is written at boot, before other CPUs run; see `Rate::of` for why this is no atomic load.
    unsafe { *value.as_ptr() }
}

/// So many nanoseconds. They are in RAX for a moment, where a product comes from and a division by multiplying begins.
#[inline(always)]
fn duration(mut nanoseconds: u64) -> Duration {
    // SAFETY: no instruction at all. Compilers that know where the number comes from take its lower half from there once more, which is
    // dearer.
    unsafe { asm!("", inout("rax") nanoseconds, options(pure, nomem, nostack, preserves_flags)) };
    Duration::from_nanos(nanoseconds)
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
    FARTHEST.store(TICKS.least(1 << u32::BITS).saturating_sub(1), Relaxed);
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
