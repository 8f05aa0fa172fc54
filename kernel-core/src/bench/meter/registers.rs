//! Operations of one, two or no instruction at all.
//!
//! What such an operation takes must not come from memory, nor its answer go there, or the figure is the memory's. And the compiler must not
//! know either, or it does the operation once for all rounds. So the loop carries what is taken in registers, and passes each through
//! assembly text without an instruction.

use super::{Calls, Figures, ROUNDS, Sample};
use crate::platform::Platform;
use arch::{Mark, Subarch, TimeOps, bytes_begin, bytes_between, bytes_end};
use core::arch::asm;
use core::mem::transmute_copy;

/// How often the operation stands in a round of the loop. Where it branches, the compiler may place the loop's end before it and jump
/// there; of that jump an eighth is left, which rounding drops.
const COPIES: u64 = 8;

/// Measures `round`, which does the operation once with what is in `state` and passes `state` on. It should remember nothing else.
pub fn measure_in_registers<S: Copy>(state: S, round: impl Fn(S) -> S) -> Figures {
    let (empty, _) = batch((), &|()| (), &|()| ());
    let twice = |state| round(round(state));
    let four_times = |state| twice(twice(state));
    let most = |state| four_times(twice(round(state)));
    let mut together = 0;
    let figures = Figures::of(ROUNDS * COPIES, empty, &mut || {
        let (sample, length) = batch(state, &most, &round);
        together = length;
        sample
    });
    figures.with_bytes(together, COPIES as u32 - 1)
}

/// Goes through all rounds of `most` and the `last` copy; tells what they took together, and how many bytes `most` has. The last copy is not
/// among these, as its branches may be the loop's.
#[inline(never)]
fn batch<S>(mut state: S, most: &impl Fn(S) -> S, last: &impl Fn(S) -> S) -> (Sample, u32) {
    let mut left = ROUNDS;
    let calls = Calls::begin();
    let start = Platform::cycles();
    while left > 0 {
        // SAFETY: neither text has an instruction.
        unsafe { asm!(bytes_begin!(), options(nomem, nostack, preserves_flags)) };
        state = most(state);
        // SAFETY: as above.
        unsafe { asm!(bytes_end!(), options(nomem, nostack, preserves_flags)) };
        state = last(state);
        left = hidden(left - 1);
    }
    let cycles = Platform::cycles() - start;
    let calls = Calls::end(&calls);
    Platform::mark(Mark::Batch);
    let bytes;
    // SAFETY: it reads a constant.
    unsafe { asm!(bytes_between!(), bytes = out(reg) bytes, options(nomem, nostack, preserves_flags)) };
    (Sample { cycles, calls }, bytes)
}

/// `value`, in a register, and nothing that the compiler could know about it: or it would unroll loops of small rounds, and make
/// others of them than of the empty one.
#[inline(always)]
pub fn hidden(mut value: u64) -> u64 {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {} */", inout(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Has the compiler forget what it has read from memory, which it would otherwise read once for all rounds.
#[inline(always)]
pub fn forget() {
    // SAFETY: no instruction at all.
    unsafe { asm!("", options(nostack, preserves_flags)) };
}

/// Has `value` be in a register, for all the compiler knows because something is done with it.
#[inline(always)]
pub fn consume<T: Copy>(value: T) {
    pass(value);
}

/// [`hidden`] for whatever fits a register: one byte, four or eight.
#[inline(always)]
pub fn pass<T: Copy>(value: T) -> T {
    // SAFETY: the sizes are equal, and the bits come out as they went in.
    unsafe {
        match size_of::<T>() {
            1 => {
                let mut byte: u8 = transmute_copy(&value);
                asm!("/* {} */", inout(reg_byte) byte, options(nomem, nostack, preserves_flags));
                transmute_copy(&byte)
            }
            4 => {
                let mut half: u32 = transmute_copy(&value);
                asm!("/* {:e} */", inout(reg) half, options(nomem, nostack, preserves_flags));
                transmute_copy(&half)
            }
            8 => transmute_copy(&hidden(transmute_copy(&value))),
            _ => panic!("it does not fit a register"),
        }
    }
}
