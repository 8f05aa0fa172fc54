//! Clocks and the alarm.

use super::super::Benchmark;
use super::super::meter::{Figures, consume, forget, hidden, measure_in_registers};
use crate::platform::Platform;
use arch::{ByHand, Instant, TimeOps};
use core::time::Duration;

pub(in super::super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::leaf("time.now", ByHand::Now, now),
    Benchmark::leaf("time.cycles", ByHand::Cycles, cycles),
    Benchmark::leaf("time.cycles_to_duration", ByHand::CyclesToDuration, cycles_to_duration),
    Benchmark::leaf("time.wall_clock", ByHand::WallClock, wall_clock),
    Benchmark::leaf("time.set_alarm", ByHand::SetAlarm, set_alarm),
    Benchmark::leaf("time.cancel_alarm", ByHand::CancelAlarm, cancel_alarm),
    Benchmark::leaf("time.stolen", ByHand::Stolen, stolen),
];

fn now() -> Figures {
    measure_in_registers((), |()| consume(Platform::now().nanoseconds()))
}

fn cycles() -> Figures {
    measure_in_registers((), |()| consume(Platform::cycles()))
}

fn cycles_to_duration() -> Figures {
    measure_in_registers(1_000_000, |cycles| {
        let cycles = hidden(cycles);
        forget();
        consume_duration(Platform::cycles_to_duration(cycles));
        cycles
    })
}

fn wall_clock() -> Figures {
    measure_in_registers((), |()| consume_duration(Platform::wall_clock()))
}

/// Has both parts of `duration` be in registers.
fn consume_duration(duration: Duration) {
    consume(duration.as_secs());
    consume(duration.subsec_nanos());
}

/// Sets the alarm to a moment that does not come.
fn set_alarm() -> Figures {
    let deadline = Platform::now() + Duration::from_secs(1000);
    let figures = measure_in_registers(deadline.nanoseconds(), |deadline| {
        let deadline = hidden(deadline);
        Platform::set_alarm(Instant::from_nanoseconds(deadline));
        deadline
    });
    return_alarm();
    figures
}

fn cancel_alarm() -> Figures {
    let figures = measure_in_registers((), |()| Platform::cancel_alarm());
    return_alarm();
    figures
}

/// The alarm is the scheduler's, which sets it as it needs it when it has gone off.
fn return_alarm() {
    Platform::set_alarm(Platform::now());
}

fn stolen() -> Figures {
    measure_in_registers((), |()| consume(Platform::stolen().subsec_nanos()))
}
