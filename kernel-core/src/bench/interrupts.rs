//! Interrupts and time: the operations of the border by themselves.

use super::Benchmark;
use super::meter::{Figures, measure};
use crate::irq;
use crate::platform::Platform;
use arch::percpu::this_cpu;
use arch::{IrqOps, SmpOps, TimeOps};
use core::hint::black_box;
use core::time::Duration;

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "mask-unmask",
        run: mask_unmask,
    },
    Benchmark {
        name: "mask-nested",
        run: mask_nested,
    },
    Benchmark {
        name: "clock",
        run: clock,
    },
    Benchmark {
        name: "alarm-set",
        run: alarm_set,
    },
    Benchmark {
        name: "ipi-to-self",
        run: ipi_to_self,
    },
];

/// Masks and unmasks, both known to be needed.
fn mask_unmask() -> Figures {
    measure(|| {
        Platform::disable();
        Platform::enable();
    })
}

/// Masks where interrupts may be masked already, and brings back what was: the guard that most code uses.
fn mask_nested() -> Figures {
    measure(|| drop(irq::mask()))
}

/// Reads the clock.
fn clock() -> Figures {
    measure(|| {
        black_box(Platform::now());
    })
}

/// Sets the alarm to a moment that does not come.
fn alarm_set() -> Figures {
    let mut deadline = Platform::now() + Duration::from_secs(1000);
    let figures = measure(|| {
        deadline = deadline + Duration::from_nanos(1000);
        Platform::set_alarm(deadline);
    });
    // The alarm is the scheduler's, which sets it as it needs it when it has gone off.
    Platform::set_alarm(Platform::now());
    figures
}

/// Raises an interrupt on this CPU and waits until it has been handled: there, through the handler, and back.
fn ipi_to_self() -> Figures {
    measure(|| {
        let before = irq::counts().ipis;
        Platform::send_ipi(this_cpu());
        while irq::counts().ipis == before {
            core::hint::spin_loop();
        }
    })
}
