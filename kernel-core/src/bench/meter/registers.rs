//! Operations of one, two or no instruction at all.
//!
//! What such an operation takes must not come from memory, nor its answer go there, or the figure is the memory's. And the compiler must not
//! know either, or it does the operation once for all rounds. So the loop carries what is taken in registers, and passes each through
//! assembly text without an instruction.

use super::{Calls, Figures, ROUNDS, Sample};
use crate::platform::Platform;
use arch::TimeOps;
use core::arch::asm;
use core::mem::transmute_copy;

/// How often the operation stands in a round of the loop. Where it branches, the compiler may place the loop's end before it and jump
/// there; of that jump an eighth is left, which rounding drops.
const COPIES: u64 = 8;

/// Measures `round`, which does the operation once with what is in `state` and passes `state` on. It should remember nothing else.
pub fn measure_in_registers<S: Copy>(state: S, round: impl Fn(S) -> S) -> Figures {
    let empty = batch((), &|()| ());
    let twice = |state| round(round(state));
    let four_times = |state| twice(twice(state));
    let all = |state| four_times(four_times(state));
    Figures::of(ROUNDS * COPIES, empty, &mut || batch(state, &all))
}

#[inline(never)]
fn batch<S>(mut state: S, round: &impl Fn(S) -> S) -> Sample {
    let mut left = ROUNDS;
    let calls = Calls::now();
    let start = Platform::cycles();
    while left > 0 {
        state = round(state);
        left = hidden(left - 1);
    }
    let cycles = Platform::cycles() - start;
    Sample {
        cycles,
        calls: Calls::now().since(&calls),
    }
}

/// `value`, in a register, and nothing that the compiler could know about it: or it would unroll loops of small rounds, and make
/// others of them than of the empty one.
#[inline(always)]
pub fn hidden(mut value: u64) -> u64 {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {} */", inout(reg) value, options(nomem, nostack, preserves_flags)) };
    value
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
