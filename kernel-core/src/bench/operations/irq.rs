//! The interrupt flag. Nothing is pending, but where something is waited for.

use super::super::Benchmark;
use super::super::meter::{Figures, consume, measure_in_registers, measure_part, pass};
use crate::platform::Platform;
use arch::{ByHand, Instant, IrqOps, TimeOps};

type Flags = <Platform as IrqOps>::Flags;

pub(in super::super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::leaf("irq.disable", ByHand::Disable, || unmasked_again(Platform::disable)),
    Benchmark::leaf("irq.enable", ByHand::Enable, || unmasked_again(Platform::enable)),
    Benchmark::leaf("irq.flags", ByHand::Flags, || {
        unmasked_again(|| consume(Platform::flags()))
    }),
    Benchmark::leaf("irq.masked", ByHand::Masked, masked),
    Benchmark::leaf("irq.save", ByHand::Save, || {
        unmasked_again(|| consume(Platform::save()))
    }),
    Benchmark::leaf("irq.restore-masked", ByHand::RestoreMasked, restore_masked),
    Benchmark::leaf("irq.restore-unmasked", ByHand::RestoreUnmasked, restore_unmasked),
    Benchmark::new("irq.enable_and_halt", enable_and_halt),
];

/// Measures `operation`, and unmasks interrupts afterwards.
fn unmasked_again(operation: impl Fn()) -> Figures {
    let figures = measure_in_registers((), |()| operation());
    Platform::enable();
    figures
}

fn masked() -> Figures {
    measure_in_registers(Platform::flags(), |flags| {
        let flags = pass(flags);
        consume(Platform::masked(flags));
        flags
    })
}

/// Restores what was masked, which leaves interrupts masked: a test.
fn restore_masked() -> Figures {
    Platform::disable();
    let figures = restore(Platform::flags());
    Platform::enable();
    figures
}

/// Restores what was unmasked. Interrupts are not masked again in between, which no platform looks at.
fn restore_unmasked() -> Figures {
    restore(Platform::flags())
}

fn restore(flags: Flags) -> Figures {
    measure_in_registers(flags, |flags| {
        let flags = pass(flags);
        Platform::restore(flags);
        flags
    })
}

/// Stops for an alarm that is due already: the way to the stop, out of it, and through the handler, which sets the alarm anew.
fn enable_and_halt() -> Figures {
    let due = || {
        Platform::disable();
        Platform::set_alarm(Instant::default());
    };
    measure_part(1, due, |()| Platform::enable_and_halt(), |()| ())
}
