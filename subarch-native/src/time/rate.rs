//! One unit for another, without a division.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many of one unit make one of another, as a binary fraction with 32 places.
///
/// It is set once, at boot, before other CPUs run, and read on every look at the clock.
#[derive(Debug)]
pub struct Rate(AtomicU64);

impl Rate {
    /// The rate that makes everything nothing.
    pub const fn zero() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Makes it `units` for every `per` of the other, rounded down.
    pub fn set(&self, units: u64, per: u64) {
        let fraction = (u128::from(units) << 32).checked_div(per.into()).unwrap_or(0);
        self.0.store(u64::try_from(fraction).unwrap_or(u64::MAX), Relaxed);
    }

    /// What `count` of the other unit is, rounded down, and cut to 64 bits.
    #[inline(always)]
    pub fn of(&self, count: u64) -> u64 {
        // SAFETY: nobody writes when several could read. An atomic load would cost an instruction more, as compilers join no
        // other with it.
        let fraction = unsafe { *self.0.as_ptr() };
        ((u128::from(count) * u128::from(fraction)) >> 32) as u64
    }

    /// The least count of the other unit that makes `units` of the one, cut to 64 bits; zero where none does.
    pub fn least(&self, units: u64) -> u64 {
        let fraction = u128::from(self.0.load(Relaxed));
        match fraction {
            0 => 0,
            _ => (u128::from(units) << 32).div_ceil(fraction) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(units: u64, per: u64) -> Rate {
        let rate = Rate::zero();
        rate.set(units, per);
        rate
    }

    #[test]
    fn a_clock_not_set_stands_still() {
        assert_eq!(Rate::zero().of(12345), 0);
        assert_eq!(rate(1, 0).of(12345), 0);
        assert_eq!(Rate::zero().least(12345), 0);
    }

    proptest! {
        /// A day of cycles at any rate of a processor is a day to a few parts in 10⁹, and time never goes back.
        #[test]
        fn a_day_is_a_day(frequency in 1_000_000_000u64..6_000_000_000, step in 0u64..1000) {
            let nanoseconds = rate(1_000_000_000, frequency);
            let day = 86_400_000_000_000u64;
            let measured = nanoseconds.of(frequency * 86_400);
            prop_assert!(day - measured < day / 500_000_000, "{measured}");
            prop_assert!(nanoseconds.of(frequency * 86_400 + step) >= measured);
        }

        /// A clock that goes on by another counter does not go back, and jumps by less than a cycle.
        #[test]
        fn the_least_count_is_enough_and_no_more(frequency in 1_000_000u64..6_000_000_000, moment in 1u64..86_400_000_000_000) {
            let nanoseconds = rate(1_000_000_000, frequency);
            let least = nanoseconds.least(moment);
            prop_assert!(nanoseconds.of(least) >= moment);
            prop_assert!(nanoseconds.of(least - 1) < moment);
        }

        /// An alarm is never late by the rounding, and early by less than two ticks in a second.
        #[test]
        fn alarms_round_down(frequency in 1_000_000u64..4_000_000_000, wait in 0u64..1_000_000_000) {
            let exact = (u128::from(wait) * u128::from(frequency) / 1_000_000_000) as u64;
            let ticks = rate(frequency, 1_000_000_000).of(wait);
            prop_assert!(ticks <= exact && exact - ticks <= 1);
        }
    }
}
