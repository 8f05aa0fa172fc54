//! The console.

use super::super::Benchmark;
use super::super::meter::{Figures, measure};
use crate::platform::Platform;
use arch::ConsoleOps;
use core::hint::black_box;

pub(in super::super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::new("console.write", write),
    Benchmark::new("console.read", read),
];

/// Writes one byte, a space; the line of them is then ended.
fn write() -> Figures {
    let figures = measure(|| Platform::write(b" "));
    println!();
    figures
}

/// Asks for a byte, when none was typed.
fn read() -> Figures {
    measure(|| {
        black_box(Platform::read());
    })
}
