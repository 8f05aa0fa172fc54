//! Reading Xen's clock without asking Xen.
//!
//! Xen writes down, for each virtual CPU, one moment on two clocks (the cycle counter and system time) and the rate between
//! them. From there the guest goes on alone: cycles since then, times the rate. The version tells whether Xen rewrote the
//! moment while it was being read, which it does about once a second and at every move to another processor.
//!
//! Source: Xen's public header `xen.h`, the comment on `vcpu_time_info`.

use crate::TimeInfo;
use core::sync::atomic::{Ordering::Acquire, Ordering::Relaxed, fence};

impl TimeInfo {
    /// System time in nanoseconds at `cycles`, which is called between the two looks at the version; `None` if Xen was
    /// writing.
    #[inline]
    pub fn nanoseconds(&self, cycles: impl FnOnce() -> u64) -> Option<u64> {
        let version = self.version.load(Acquire);
        let rate = self.rate();
        let since = cycles().saturating_sub(self.cycles.load(Relaxed));
        let start = self.system_time.load(Relaxed);
        fence(Acquire);
        let quiet = version & 1 == 0 && self.version.load(Relaxed) == version;
        quiet.then(|| start.wrapping_add(rate.nanoseconds(since)))
    }

    /// The rate between the two clocks.
    #[inline]
    pub fn rate(&self) -> Rate {
        Rate {
            multiplier: self.multiplier.load(Relaxed),
            shift: self.shift.load(Relaxed),
        }
    }
}

/// How long a cycle is: a factor of 32 bits, preceded by a shift that keeps the factor large and so the result exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    multiplier: u32,
    shift: i8,
}

impl Rate {
    /// How long `cycles` take.
    #[inline]
    pub const fn nanoseconds(self, cycles: u64) -> u64 {
        let cycles = if self.shift < 0 {
            cycles >> self.shift.unsigned_abs()
        } else {
            cycles << self.shift
        };
        ((cycles as u128 * self.multiplier as u128) >> 32) as u64
    }

    /// How many cycles are in a second; 0 if Xen has not said yet.
    pub const fn hertz(self) -> u64 {
        let Some(shifted) = (1_000_000_000_u64 << 32).checked_div(self.multiplier as u64) else {
            return 0;
        };
        if self.shift < 0 {
            shifted << self.shift.unsigned_abs()
        } else {
            shifted >> self.shift
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::Ordering::SeqCst;
    use proptest::prelude::*;

    /// As QEMU's 2.596 GHz processor showed it.
    const MEASURED: Rate = Rate {
        multiplier: 3_308_727_483,
        shift: -1,
    };

    fn sample() -> TimeInfo {
        let info = TimeInfo::default();
        info.version.store(2, SeqCst);
        info.cycles.store(1_000, SeqCst);
        info.system_time.store(5_000, SeqCst);
        info.multiplier.store(1 << 31, SeqCst);
        info.shift.store(1, SeqCst);
        info
    }

    #[test]
    fn time_goes_on_from_the_moment_written_down() {
        assert_eq!(sample().nanoseconds(|| 1_000), Some(5_000));
        assert_eq!(sample().nanoseconds(|| 1_700), Some(5_700));
    }

    #[test]
    fn a_counter_behind_the_moment_does_not_turn_time_around() {
        assert_eq!(sample().nanoseconds(|| 999), Some(5_000));
    }

    #[test]
    fn a_moment_that_is_being_rewritten_is_not_used() {
        let info = sample();
        assert_eq!(info.nanoseconds(|| info.version.fetch_add(2, SeqCst).into()), None);
        info.version.store(3, SeqCst);
        assert_eq!(info.nanoseconds(|| 1_000), None);
    }

    #[test]
    fn the_frequency_is_what_the_rate_says() {
        assert_eq!(MEASURED.hertz() / 1_000_000, 2_596);
        assert_eq!(
            Rate {
                multiplier: 0,
                shift: 0
            }
            .hertz(),
            0
        );
    }

    proptest! {
        #[test]
        fn the_rate_is_right_to_a_millionth(cycles in 1_000_000_000_u64..1 << 50) {
            let exact = cycles as u128 * 1_000_000_000 / MEASURED.hertz() as u128;
            let error = exact.abs_diff(MEASURED.nanoseconds(cycles).into());
            prop_assert!(error <= exact / 1_000_000);
        }
    }
}
