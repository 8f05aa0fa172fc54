//! Measuring one operation.
//!
//! A single operation is shorter than reading the counter, so batches are measured, and what an empty batch takes is
//! subtracted. The median of many batches is the figure that counts. The cheapest and the dearest tell how steady it is: a
//! hypervisor may interrupt a batch for a purpose of its own.

use crate::platform::Platform;
use arch::TimeOps;
use core::arch::asm;
use core::fmt;

/// Rounds of a batch.
const ROUNDS: u64 = 64;

/// Batches; odd, so that one of them is in the middle.
const BATCHES: usize = 17;

/// What one operation costs, in ticks of the cycle counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figures {
    min: u64,
    median: u64,
    max: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.min, self.median, self.max)
    }
}

/// Measures `round`, which does the operation once.
pub fn measure(round: impl FnMut()) -> Figures {
    measure_several(1, round)
}

/// Measures the operation that `round` does `operations` times.
///
/// It is called with interrupts unmasked and preemption possible, often: first for a batch that does not count, since it fills
/// caches and lists from which the others then take.
pub fn measure_several(operations: u64, mut round: impl FnMut()) -> Figures {
    let empty = batch(&mut || ());
    batch(&mut round);
    let mut costs = [0; BATCHES].map(|_: u64| batch(&mut round).saturating_sub(empty));
    costs.sort_unstable();
    let each = |cost: u64| (cost + ROUNDS * operations / 2) / (ROUNDS * operations);
    Figures {
        min: each(costs[0]),
        median: each(costs[BATCHES / 2]),
        max: each(costs[BATCHES - 1]),
    }
}

/// Goes through all rounds of a batch and tells how long they took together.
#[inline(never)]
fn batch(round: &mut impl FnMut()) -> u64 {
    let mut left = ROUNDS;
    let start = Platform::cycles();
    while left > 0 {
        round();
        left = hidden(left - 1);
    }
    Platform::cycles() - start
}

/// `value`, in a register, and nothing that the compiler could know about it: or it would unroll loops of small rounds, and make
/// others of them than of the empty one.
#[inline(always)]
fn hidden(mut value: u64) -> u64 {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {} */", inout(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}
