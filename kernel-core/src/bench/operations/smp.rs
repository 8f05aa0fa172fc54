//! The CPUs.

use super::super::Benchmark;
use super::super::meter::{Figures, consume, measure, measure_in_registers};
use crate::irq;
use crate::platform::Platform;
use arch::percpu::this_cpu;
use arch::{ByHand, SmpOps};

pub(in super::super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::leaf("smp.cpu_count", ByHand::CpuCount, || {
        measure_in_registers((), |()| consume(Platform::cpu_count()))
    }),
    Benchmark::new("smp.send_ipi", send_ipi),
    Benchmark::leaf("smp.spin", ByHand::Spin, || spin(0)),
    Benchmark::new("smp.spin-long", || spin(u32::MAX)),
];

/// Raises an interrupt on this CPU, which has it masked: nothing is delivered, and all of a batch become one.
fn send_ipi() -> Figures {
    let masked = irq::mask();
    let figures = measure(|| Platform::send_ipi(this_cpu()));
    drop(masked);
    figures
}

/// A turn of a wait, the first or one after very many.
fn spin(turn: u32) -> Figures {
    measure_in_registers((), |()| Platform::spin(turn))
}
