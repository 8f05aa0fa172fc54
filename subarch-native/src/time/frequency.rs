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
use pc_firmware::rates::{Frequencies, Interval, Moment, Source, Told};

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
    best.frequencies(R::between, reference.frequency(), R::NAME)
}

/// Reads all clocks, one after the other.
fn now<R: Reference>(reference: &mut R) -> Moment {
    let before = Native::cycles();
    let reference = reference.read();
    let between = Native::cycles();
    let timer = apic::read(Register::CurrentCount);
    let after = Native::cycles();
    Moment {
        at_reference: before.midpoint(between),
        reference,
        at_timer: between.midpoint(after),
        timer,
        width: after.wrapping_sub(before),
    }
}

/// The moment of several that took the shortest.
fn sharpest<R: Reference>(reference: &mut R) -> Moment {
    let first = now(reference);
    (1..TRIES).map(|_| now(reference)).fold(
        first,
        |best, moment| if moment.width < best.width { moment } else { best },
    )
}
/// Lets some time pass; `None` if the reference clock stands.
fn interval<R: Reference>(reference: &mut R) -> Option<Interval> {
    reference.start();
    apic::start_timer(u32::MAX);
    let first = sharpest(reference);
    let passed = wait(
        reference,
        first.reference,
        (reference.frequency() / PART_OF_A_SECOND) as u32,
    );
    let last = sharpest(reference);
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
