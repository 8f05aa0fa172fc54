//! Clocks and the alarm.

use super::site::choose;
use super::{Bare, Either, Paravirt};
use arch::{Instant, TimeOps};
use core::fmt;
use core::time::Duration;
use subarch_xen::Xen;

impl TimeOps for Paravirt {
    #[inline]
    fn now() -> Instant {
        choose!(Bare::now(), Xen::now())
    }

    /// The same instructions on either.
    #[inline(always)]
    fn cycles() -> u64 {
        Bare::cycles()
    }

    fn cycles_to_duration(cycles: u64) -> Duration {
        choose!(Bare::cycles_to_duration(cycles), Xen::cycles_to_duration(cycles))
    }

    fn wall_clock() -> Duration {
        choose!(Bare::wall_clock(), Xen::wall_clock())
    }

    #[inline]
    fn set_alarm(deadline: Instant) {
        choose!(Bare::set_alarm(deadline), Xen::set_alarm(deadline))
    }

    #[inline(always)]
    fn cancel_alarm() {
        choose!(Bare::cancel_alarm(), Xen::cancel_alarm())
    }

    #[inline(always)]
    fn stolen() -> Duration {
        choose!(Bare::stolen(), Xen::stolen())
    }

    fn clock_source() -> impl fmt::Display {
        choose!(Either::Bare(Bare::clock_source()), Either::Xen(Xen::clock_source()))
    }
}
