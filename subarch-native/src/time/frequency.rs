//! How fast the cycle counter and the alarm's timer run.
//!
//! Told by CPUID where the processor or a hypervisor does that; measured elsewhere. A measurement compares what several
//! clocks advanced by between two moments, and what spoils it is that clocks cannot be read at the same moment: whatever
//! happens between the reads (a port access that takes its time, a host that runs somebody else) is an error. Hence each
//! moment is tried several times and the try that took the shortest counts, and the way from one moment to the other may
//! take as long as it likes.

use super::reference::{CycleCounter, IntervalTimer, PowerTimer, Reference};
use crate::apic::{self, Register};
use crate::{Native, cpu};
use arch::TimeOps;
use pc_firmware::rates::{Frequencies, Source, Told};

/// Asks, and if nobody knows, measures.
///
/// # Errors
/// A phrase that says why there is no rate.
///
/// # Safety
/// The local APIC is set up; `timer_port`, if any, is the power management timer's; nobody else uses the interval timer.
pub unsafe fn find(timer_port: Option<u16>) -> Result<Frequencies, &'static str> {
    match Told::by(cpu::cpuid) {
        Some(Told::Both(known)) => return Ok(known),
        Some(Told::CycleCounter(rate)) => return measure_timer(rate).ok_or("the alarm's timer does not count"),
        None => {}
    }
    // SAFETY: the caller vouches for both.
    let (interval_timer, power_timer) = unsafe { (IntervalTimer::new(), timer_port.map(|port| PowerTimer::new(port))) };
    measure(interval_timer)
        .or_else(|| power_timer.and_then(measure))
        .ok_or("neither the interval timer nor a power management timer counts as it should")
}

/// Measures the alarm's timer by the cycle counter, which runs at `cycle_counter`.
fn measure_timer(cycle_counter: u64) -> Option<Frequencies> {
    let measured = measure(CycleCounter::new(cycle_counter))?;
    Some(Frequencies {
        cycle_counter,
        source: Source::CycleCounter,
        ..measured
    })
}

/// How long a measurement takes: one part of this of a second.
const PART_OF_A_SECOND: u64 = 1000;

/// How often a moment is tried.
const TRIES: usize = 5;

/// How often a measurement is made at the most.
const REPETITIONS: usize = 5;

/// A measurement blurred by no more than so many thousandths is good enough to be the last.
const TOLERATED: u64 = 5;

/// How many readings may be alike before the clock is taken to be standing. (Under an emulator that counts instructions,
/// ten thousand readings are 0.2 ms; on real hardware, 10 ms.)
const STANDING: u32 = 10_000;

/// Measures by `reference`, as exactly as it gets in a few repetitions.
fn measure<R: Reference>(mut reference: R) -> Option<Frequencies> {
    let mut best = interval(&mut reference)?;
    for _ in 1..REPETITIONS {
        if best.blur() <= TOLERATED {
            break;
        }
        best = best.sharper(interval(&mut reference)?);
    }
    best.frequencies(&reference)
}

/// Readings of all clocks at one moment, or nearly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Moment {
    /// The cycle counter, in the middle of reading the reference clock.
    at_reference: u64,
    reference: u32,
    /// The cycle counter, in the middle of reading the timer.
    at_timer: u64,
    timer: u32,
    /// How many cycles it all took.
    width: u64,
}

impl Moment {
    /// Reads all clocks, one after the other.
    fn now<R: Reference>(reference: &mut R) -> Self {
        let before = Native::cycles();
        let reference = reference.read();
        let between = Native::cycles();
        let timer = apic::read(Register::CurrentCount);
        let after = Native::cycles();
        Self {
            at_reference: before.midpoint(between),
            reference,
            at_timer: between.midpoint(after),
            timer,
            width: after.wrapping_sub(before),
        }
    }

    /// The moment of several that took the shortest.
    fn sharpest<R: Reference>(reference: &mut R) -> Self {
        let first = Self::now(reference);
        (1..TRIES).map(|_| Self::now(reference)).fold(
            first,
            |best, moment| if moment.width < best.width { moment } else { best },
        )
    }
}

/// Two moments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Interval {
    first: Moment,
    last: Moment,
}

/// Lets some time pass; `None` if the reference clock stands.
fn interval<R: Reference>(reference: &mut R) -> Option<Interval> {
    reference.start();
    apic::start_timer(u32::MAX);
    let first = Moment::sharpest(reference);
    let passed = wait(
        reference,
        first.reference,
        (reference.frequency() / PART_OF_A_SECOND) as u32,
    );
    let last = Moment::sharpest(reference);
    apic::start_timer(0);
    passed.then_some(Interval { first, last })
}

/// Waits until `reference` is `ticks` further than at the reading `from`; tells whether it got there.
fn wait<R: Reference>(reference: &mut R, from: u32, ticks: u32) -> bool {
    let mut last = from;
    let mut standing = 0;
    while R::between(from, last) < ticks {
        let reading = reference.read();
        standing = if reading == last { standing + 1 } else { 0 };
        last = reading;
        if standing > STANDING {
            return false;
        }
    }
    true
}

impl Interval {
    /// How wide its moments are, in thousandths of its length. The rates are wrong by half of that at the most.
    fn blur(&self) -> u64 {
        let length = self.last.at_reference.wrapping_sub(self.first.at_reference);
        let width = self.first.width.saturating_add(self.last.width);
        width.saturating_mul(1000) / length.max(1)
    }

    /// The one of two that is less blurred.
    fn sharper(self, other: Self) -> Self {
        if other.blur() < self.blur() { other } else { self }
    }

    /// The rates that follow from what the clocks advanced by.
    fn frequencies<R: Reference>(&self, reference: &R) -> Option<Frequencies> {
        let cycles = u128::from(self.last.at_reference.wrapping_sub(self.first.at_reference));
        let ticks = u128::from(R::between(self.first.reference, self.last.reference));
        let counter = (cycles * u128::from(reference.frequency())).checked_div(ticks)?;
        let timer_cycles = u128::from(self.last.at_timer.wrapping_sub(self.first.at_timer));
        // The timer counts down.
        let timer_ticks = u128::from(self.first.timer.wrapping_sub(self.last.timer));
        Frequencies {
            cycle_counter: u64::try_from(counter).ok()?,
            timer: u64::try_from((timer_ticks * counter).checked_div(timer_cycles)?).ok()?,
            source: Source::Measured(R::NAME),
        }
        .plausible()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(cycles: u64, reference: u32, timer: u32, width: u64) -> Moment {
        Moment {
            at_reference: cycles,
            reference,
            at_timer: cycles + 10,
            timer,
            width,
        }
    }

    /// A millisecond, at 2 GHz, with a timer of 100 MHz.
    fn millisecond(width: u64) -> Interval {
        Interval {
            first: moment(5_000, 65_000, u32::MAX, width),
            last: moment(2_005_000, 65_000 + 1193 - 65_536, u32::MAX - 100_000, width),
        }
    }

    /// It is not read in these tests.
    fn interval_timer() -> IntervalTimer {
        // SAFETY: it is only asked for its frequency.
        unsafe { IntervalTimer::new() }
    }

    #[test]
    fn rates_follow_from_readings() {
        let found = millisecond(1000)
            .frequencies(&interval_timer())
            .expect("they are plausible");
        assert!(found.cycle_counter.abs_diff(2_000_000_000) < 1_000_000, "{found:?}");
        assert!(found.timer.abs_diff(100_000_000) < 50_000, "{found:?}");
        assert_eq!(
            found.to_string(),
            "TSC at 2000 MHz, APIC timer at 100 MHz, measured by the interval timer"
        );
    }

    #[test]
    fn implausible_rates_are_none() {
        let mut interval = millisecond(1000);
        interval.last.at_reference = interval.first.at_reference + 1000;
        assert_eq!(interval.frequencies(&interval_timer()), None);
        interval.last.reference = interval.first.reference;
        assert_eq!(interval.frequencies(&interval_timer()), None);
    }

    #[test]
    fn the_sharpest_interval_counts() {
        let [blurred, sharp] = [90_000, 1000].map(millisecond);
        assert_eq!((blurred.blur(), sharp.blur()), (90, 1));
        assert_eq!(blurred.sharper(sharp), sharp);
        assert_eq!(sharp.sharper(blurred), sharp);
    }
}
