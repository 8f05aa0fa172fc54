//! Address spaces of programs: made, with one page in them, and destroyed.

use super::Benchmark;
use super::meter::{Figures, measure_part};
use super::scratch;

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::new("space-create", create),
    Benchmark::new("space-destroy", destroy),
];

/// A root, three tables and a page of zeros, built and given over.
fn create() -> Figures {
    measure_part(1, || (), |()| scratch::space(), drop)
}

/// All of that given back.
fn destroy() -> Figures {
    measure_part(1, scratch::space, drop, drop)
}
