//! How much of a CPU a thread is worth, compared with others.

use core::fmt;

/// Fraction bits of the virtual clock: its unit is 1/1024 ns of a thread of normal weight, so that even a heavy thread
/// that runs for a few nanoseconds is charged for them.
pub(super) const FRACTION: u32 = 10;

/// The share of a thread: of two that always want to run on one CPU, one with twice the weight runs twice as long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    weight: u32,
    /// 2^32 / weight: multiplying is cheaper than dividing.
    inverse: u32,
}

impl Weight {
    /// The lowest weight.
    pub const MIN: u32 = 2;

    /// The highest weight.
    pub const MAX: u32 = 1 << 18;

    /// What a thread gets unless it is said otherwise: 1024.
    pub const NORMAL: Self = Self::make(1024);

    pub(super) const LIGHTEST: Self = Self::make(Self::MIN);

    /// A weight between [`MIN`](Self::MIN) and [`MAX`](Self::MAX); `None` beyond these.
    pub const fn new(weight: u32) -> Option<Self> {
        if weight < Self::MIN || weight > Self::MAX {
            return None;
        }
        Some(Self::make(weight))
    }

    /// The weight for a Unix nice value from -20 to 19; `None` beyond these. 0 is [`NORMAL`](Self::NORMAL), and each
    /// step down is a quarter more.
    pub const fn from_nice(nice: i8) -> Option<Self> {
        if nice < -20 || nice > 19 {
            return None;
        }
        let steps = nice.unsigned_abs() as u32;
        let (four, five) = (4u64.pow(steps), 5u64.pow(steps));
        let weight = if nice < 0 {
            1024 * five / four
        } else {
            1024 * four / five
        };
        Some(Self::make(weight as u32))
    }

    /// The number itself.
    pub const fn get(self) -> u32 {
        self.weight
    }

    const fn make(weight: u32) -> Self {
        Self {
            weight,
            inverse: ((1 << 32) / weight as u64) as u32,
        }
    }

    /// How far `nanoseconds` of running move a thread of this weight on the virtual clock.
    #[inline(always)]
    pub(super) const fn virtual_time(self, nanoseconds: u64) -> u64 {
        self.pace().virtual_time(nanoseconds)
    }

    /// How fast the virtual clock of a thread of this weight goes.
    pub(super) const fn pace(self) -> Pace {
        Pace(self.inverse)
    }
}

/// How fast a thread's virtual clock goes while the thread runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pace(u32);

impl Pace {
    /// That of a thread which takes no part in the fair class.
    pub const STANDING: Self = Self(0);

    /// How far it goes in `nanoseconds`.
    #[inline(always)]
    pub const fn virtual_time(self, nanoseconds: u64) -> u64 {
        ((nanoseconds as u128 * self.0 as u128) >> (22 - FRACTION)) as u64
    }
}

impl fmt::Debug for Weight {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Weight({})", self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nice_values_are_quarters() {
        let weights: Vec<_> = (-20..=19).map(|nice| Weight::from_nice(nice).unwrap().get()).collect();
        assert_eq!((weights[20], weights[19], weights[21]), (1024, 1280, 819));
        assert!(weights.windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!((Weight::from_nice(-21), Weight::from_nice(20)), (None, None));
    }

    #[test]
    fn the_ends_are_included() {
        assert_eq!(
            (Weight::new(Weight::MIN - 1), Weight::new(Weight::MAX + 1)),
            (None, None)
        );
        assert_eq!(Weight::new(Weight::MIN).unwrap().get(), Weight::MIN);
        assert_eq!(Weight::new(Weight::MAX).unwrap().get(), Weight::MAX);
    }

    #[test]
    fn virtual_time_is_inversely_proportional() {
        let at = |weight| Weight::new(weight).unwrap().virtual_time(1_000_000) as f64;
        assert_eq!(at(1024), 1_000_000f64 * 1024.0);
        assert!((at(512) / at(2048) - 4.0).abs() < 1e-6);
        assert!((at(2) / at(1 << 18) - f64::from(1 << 17)).abs() < 1.0);
    }
}
