//! Measuring one operation.
//!
//! A single operation is shorter than reading the counter, so batches are measured, and what an empty batch takes is
//! subtracted. The median of many batches is the figure that counts. The cheapest and the dearest tell how steady it is: a
//! hypervisor may interrupt a batch for a purpose of its own.
//!
//! There are three ways, by what the operation needs around it: [`measure`] for most, [`measure_part`] for one that something must be
//! prepared for that is not to be measured, and [`measure_in_registers`] for one of so few instructions that a word of memory more or less
//! would be a third of the figure.

mod calls;
mod figures;
mod registers;

pub(super) use calls::Calls;
pub(super) use figures::Figures;
pub(super) use registers::{consume, forget, hidden, measure_in_registers, pass};

use crate::platform::Platform;
use arch::by_hand::Batch;
use arch::{ByHand, IrqOps, Mark, Slot, Subarch, TimeOps};

/// Rounds of a batch.
const ROUNDS: u64 = 64;

/// What a batch took.
#[derive(Clone, Copy)]
struct Sample {
    cycles: u64,
    calls: Calls,
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
    Figures::of(ROUNDS * operations, empty, &mut || batch(&mut round))
}

/// Measures `act`, which does the operation once with what `prepare` has made; `clean` gets what it returns. Only `act` counts.
///
/// A round that is long is not repeated within a batch: `size` says by how much it is longer than others.
pub fn measure_part<T, U>(
    size: u64,
    mut prepare: impl FnMut() -> T,
    mut act: impl FnMut(T) -> U,
    mut clean: impl FnMut(U),
) -> Figures {
    let rounds = (ROUNDS / size).max(1);
    let mut batch = || batch_of_parts(rounds, &mut prepare, &mut act, &mut clean);
    let empty = batch_of_parts(rounds, &mut || (), &mut |()| (), &mut |()| ());
    Figures::of(rounds, empty, &mut batch)
}

/// Measures the loop that the platform has written by hand around `operation`, as [`measure`] does: as many rounds in as many batches, less
/// what the loop itself takes.
///
/// # Safety
/// As for [`Subarch::by_hand`].
pub unsafe fn measure_by_hand(operation: ByHand, slot: Slot) -> Option<Figures> {
    let batch = |operation| {
        Platform::disable();
        // SAFETY: the caller vouches for the page.
        let batch = unsafe { Platform::by_hand(operation, slot, ROUNDS) };
        Platform::enable();
        batch
    };
    let sample = |Batch { cycles, .. }| {
        let calls = Calls::default();
        Sample { cycles, calls }
    };
    let empty = sample(batch(ByHand::Nothing)?);
    let together = batch(operation)?.bytes;
    let figures = Figures::of(ROUNDS, empty, &mut || {
        sample(batch(operation).expect("it was measured before"))
    });
    Some(figures.with_bytes(together, 1))
}

/// Goes through all rounds of a batch and tells what they took together.
#[inline(never)]
fn batch(round: &mut impl FnMut()) -> Sample {
    let mut left = ROUNDS;
    let calls = Calls::begin();
    let start = Platform::cycles();
    while left > 0 {
        round();
        left = hidden(left - 1);
    }
    let cycles = Platform::cycles() - start;
    let calls = Calls::end(&calls);
    Platform::mark(Mark::Batch);
    Sample { cycles, calls }
}

/// Goes through `rounds` rounds of three parts, and tells what the middle ones took together.
#[inline(never)]
fn batch_of_parts<T, U>(
    rounds: u64,
    prepare: &mut impl FnMut() -> T,
    act: &mut impl FnMut(T) -> U,
    clean: &mut impl FnMut(U),
) -> Sample {
    let mut sum = Sample {
        cycles: 0,
        calls: Calls::default(),
    };
    for _ in 0..rounds {
        let prepared = prepare();
        let calls = Calls::begin();
        let start = Platform::cycles();
        let done = act(prepared);
        sum.cycles += Platform::cycles() - start;
        sum.calls = sum.calls.and(&Calls::end(&calls));
        clean(done);
    }
    Platform::mark(Mark::Batch);
    sum
}
