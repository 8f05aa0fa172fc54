//! The clocks and the alarm.

use super::{Case, Outcome, Trouble, check, check_eq};
use crate::platform::Platform;
use crate::{task, timer};
use alloc::format;
use alloc::string::String;
use arch::TimeOps;
use core::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "clock-never-goes-back",
        run: never_goes_back,
    },
    Case {
        name: "clock-cycles-advance",
        run: cycles_advance,
    },
    Case {
        name: "clock-sleep-is-long-enough",
        run: sleep_is_long_enough,
    },
    Case {
        name: "clock-alarm-in-the-past-fires",
        run: alarm_in_the_past_fires,
    },
    Case {
        name: "clock-later-alarm-replaces",
        run: later_alarm_replaces,
    },
    Case {
        name: "clock-cancelled-alarm-stays-away",
        run: cancelled_alarm_stays_away,
    },
    Case {
        name: "clock-wall-clock-is-plausible",
        run: wall_clock_is_plausible,
    },
    Case {
        name: "clock-stolen-time-is-plausible",
        run: stolen_time_is_plausible,
    },
];

const SHORT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(3600);

fn never_goes_back() -> Outcome {
    let mut last = Platform::now();
    for _ in 0..20_000 {
        let now = Platform::now();
        check!(now >= last, "{now} came after {last}");
        last = now;
    }
    Ok(())
}

fn cycles_advance() -> Outcome {
    let mut why = String::new();
    // A busy host may stop us between the readings of the two clocks; then it is tried again.
    for _ in 0..20 {
        let (cycles, start) = (Platform::cycles(), Platform::now());
        while Platform::now() < start + SHORT {}
        let cycles = Platform::cycles() - cycles;
        let by_clock = Platform::now() - start;
        let by_cycles = Platform::cycles_to_duration(cycles);
        if by_clock.abs_diff(by_cycles) < by_clock / 2 {
            return Ok(());
        }
        why = format!("{cycles} cycles are {by_cycles:?}, the clock says {by_clock:?}");
    }
    Err(Trouble::Failed(why))
}

fn sleep_is_long_enough() -> Outcome {
    for _ in 0..50 {
        let start = Platform::now();
        task::sleep(SHORT);
        let slept = Platform::now() - start;
        check!(slept >= SHORT, "slept {slept:?} instead of {SHORT:?}");
        // The upper bound only excludes a sleep that ended by some other accident: hosts may be slow.
        check!(slept < Duration::from_secs(5), "slept {slept:?} instead of {SHORT:?}");
        // A busy host may stop us until the deadline has passed before we sleep at all; then it is tried again.
        if timer::last_alarm() >= start {
            return Ok(());
        }
    }
    Err(Trouble::Failed("no alarm ended any of 50 sleeps".into()))
}

fn alarm_in_the_past_fires() -> Outcome {
    let _stay = task::without_preemption();
    let before = timer::alarms_here();
    Platform::set_alarm(arch::Instant::from_nanoseconds(1));
    let end = Platform::now() + Duration::from_secs(5);
    while timer::alarms_here() == before && Platform::now() < end {}
    check_eq!(timer::alarms_here(), before + 1);
    Ok(())
}

fn later_alarm_replaces() -> Outcome {
    check_that_alarm_stays_away(|| Platform::set_alarm(Platform::now() + LONG))
}

fn cancelled_alarm_stays_away() -> Outcome {
    check_that_alarm_stays_away(Platform::cancel_alarm)
}

/// The count of alarms, if none is under way: a machine that is late with one delivers it whatever was set since.
fn settled_alarms() -> Option<u64> {
    Platform::cancel_alarm();
    let before = timer::alarms_here();
    let end = Platform::now() + SHORT;
    while Platform::now() < end {}
    (timer::alarms_here() == before).then_some(before)
}

/// Sets an alarm, has `avert` do something about it at once, and checks that it does not go off.
///
/// A busy host may stop us in between for so long that it has gone off by right; then it is tried again.
fn check_that_alarm_stays_away(avert: impl Fn()) -> Outcome {
    // Other CPUs have alarms of their own, so this one's are counted, and it must be the same to the end.
    let _stay = task::without_preemption();
    for _ in 0..50 {
        let Some(before) = settled_alarms() else {
            continue;
        };
        let deadline = Platform::now() + SHORT;
        Platform::set_alarm(deadline);
        avert();
        if Platform::now() >= deadline {
            continue;
        }
        while Platform::now() < deadline + SHORT {}
        let after = timer::alarms_here();
        // The alarm is the scheduler's, which sets it as it needs it when it has gone off.
        Platform::set_alarm(Platform::now());
        check_eq!(after, before);
        return Ok(());
    }
    Err(Trouble::Skipped(
        "the host does not let this CPU run for 5 ms at a time",
    ))
}

fn wall_clock_is_plausible() -> Outcome {
    /// 2024-01-01, which is also where tests set the clock of their machines to at the earliest.
    const EARLIEST: Duration = Duration::from_secs(1_704_067_200);
    let (before, wall, after) = (Platform::now(), Platform::wall_clock(), Platform::now());
    check!(wall >= EARLIEST, "{wall:?} after 1970 is before 2024");
    while Platform::now() < after + SHORT {}
    let (later, advanced) = (Platform::now(), Platform::wall_clock() - wall);
    // The host may stop us between any two readings, so each is bracketed by the clock.
    let possible = (later - after).saturating_sub(SHORT)..=Platform::now() - before + SHORT;
    check!(
        possible.contains(&advanced),
        "the wall clock advanced {advanced:?}, which is not in {possible:?}"
    );
    Ok(())
}

fn stolen_time_is_plausible() -> Outcome {
    let stolen = Platform::stolen();
    check!(Platform::stolen() >= stolen, "stolen time was given back");
    Ok(())
}
