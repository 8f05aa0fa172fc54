//! Clocks and the alarm.

use super::super::Benchmark;
use super::super::meter::{Figures, consume, hidden, measure, measure_in_registers};
use crate::platform::Platform;
use arch::{ByHand, Instant, TimeOps};
use core::hint::black_box;
use core::time::Duration;

pub(in super::super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::leaf("time.now", ByHand::Now, now),
    Benchmark::leaf("time.cycles", ByHand::Cycles, cycles),
    Benchmark::new("time.cycles_to_duration", cycles_to_duration),
    Benchmark::new("time.wall_clock", wall_clock),
    Benchmark::new("time.set_alarm", set_alarm),
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
    measure(|| {
        black_box(Platform::cycles_to_duration(black_box(1_000_000)));
    })
}

fn wall_clock() -> Figures {
    measure(|| {
        black_box(Platform::wall_clock());
    })
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
