//! Rates out of readings: what several clocks advanced by between two moments.

use super::{Frequencies, Source};

/// Readings of all clocks at one moment, or nearly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The cycle counter, in the middle of reading the reference clock.
    pub at_reference: u64,
    /// The reference clock.
    pub reference: u32,
    /// The cycle counter, in the middle of reading the timer.
    pub at_timer: u64,
    /// The alarm's timer.
    pub timer: u32,
    /// How many cycles it all took.
    pub width: u64,
}

/// Two moments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// The one.
    pub first: Moment,
    /// And the other.
    pub last: Moment,
}

impl Interval {
    /// How wide its moments are, in thousandths of its length. The rates are wrong by half of that at the most.
    pub fn blur(&self) -> u64 {
        let length = self.last.at_reference.wrapping_sub(self.first.at_reference);
        let width = self.first.width.saturating_add(self.last.width);
        width.saturating_mul(1000) / length.max(1)
    }

    /// The one of two that is less blurred.
    pub fn sharper(self, other: Self) -> Self {
        if other.blur() < self.blur() { other } else { self }
    }

    /// The rates that follow from what the clocks advanced by, where the reference clock, called `name`, has `frequency` ticks a second, so
    /// many of them between two readings as `between` says.
    pub fn frequencies(
        &self,
        between: impl Fn(u32, u32) -> u32,
        frequency: u64,
        name: &'static str,
    ) -> Option<Frequencies> {
        let cycles = u128::from(self.last.at_reference.wrapping_sub(self.first.at_reference));
        let ticks = u128::from(between(self.first.reference, self.last.reference));
        let counter = (cycles * u128::from(frequency)).checked_div(ticks)?;
        let timer_cycles = u128::from(self.last.at_timer.wrapping_sub(self.first.at_timer));
        // The timer counts down.
        let timer_ticks = u128::from(self.first.timer.wrapping_sub(self.last.timer));
        Frequencies {
            cycle_counter: u64::try_from(counter).ok()?,
            timer: u64::try_from((timer_ticks * counter).checked_div(timer_cycles)?).ok()?,
            source: Source::Measured(name),
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

    /// By a clock like the PC's interval timer.
    fn frequencies(interval: &Interval) -> Option<Frequencies> {
        interval.frequencies(
            |earlier, later| later.wrapping_sub(earlier) & 0xffff,
            1_193_182,
            "the interval timer",
        )
    }

    #[test]
    fn rates_follow_from_readings() {
        let found = frequencies(&millisecond(1000)).expect("they are plausible");
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
        assert_eq!(frequencies(&interval), None);
        interval.last.reference = interval.first.reference;
        assert_eq!(frequencies(&interval), None);
    }

    #[test]
    fn the_sharpest_interval_counts() {
        let [blurred, sharp] = [90_000, 1000].map(millisecond);
        assert_eq!((blurred.blur(), sharp.blur()), (90, 1));
        assert_eq!(blurred.sharper(sharp), sharp);
        assert_eq!(sharp.sharper(blurred), sharp);
    }
}
