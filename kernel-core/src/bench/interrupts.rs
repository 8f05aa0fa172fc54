//! Interrupts and exceptions: keeping them out, and going through one.

use super::Benchmark;
use super::meter::{Figures, measure};
use crate::fault::provoke;
use crate::irq;
use crate::platform::Platform;
use arch::percpu::this_cpu;
use arch::{IrqOps, SmpOps, TimeOps};

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::new("mask-unmask", mask_unmask),
    Benchmark::new("mask-nested", || measure(|| drop(irq::mask()))),
    Benchmark::new("trap", || measure(provoke::breakpoint)),
    Benchmark::new("ipi-to-self", ipi_to_self),
    Benchmark::new("alarm-to-self", alarm_to_self),
];

/// Masks and unmasks, both known to be needed.
fn mask_unmask() -> Figures {
    measure(|| {
        Platform::disable();
        Platform::enable();
    })
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

/// Sets the alarm to now and waits until it has been handled. The handler is the scheduler's, which sets it anew.
fn alarm_to_self() -> Figures {
    measure(|| {
        let before = irq::counts().alarms;
        Platform::set_alarm(Platform::now());
        while irq::counts().alarms == before {
            core::hint::spin_loop();
        }
    })
}
