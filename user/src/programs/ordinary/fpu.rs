//! Floating-point and vector registers: they belong to a thread, however often it is interrupted.

use super::fpu_image::{Image, Width};
use crate::runtime::arguments::Arguments;
use crate::runtime::check::require;
use crate::runtime::syscall;
use core::hint::black_box;

/// How long the registers are left alone between two looks.
const SPIN: u32 = 100_000;

/// Fills the registers with the pattern that belongs to a seed and looks at them again and again. Check 1: they never change while the
/// program only computes. Check 2: nor, with `yield` as the third argument, when it lets others run.
pub fn run(arguments: &Arguments) -> u8 {
    let seed = arguments.number(1, 1) as u64;
    let yields = arguments.get(3) == Some("yield");
    let width = Width::available();
    let expected = Image::of(seed, width);
    let mut found = Image::empty();
    expected.load(width);
    for _ in 0..arguments.number(2, 50) {
        if yields {
            syscall::sched_yield();
        } else {
            (0..SPIN).for_each(|turn| {
                black_box(turn);
            });
        }
        found.store(width);
        require(1 + u8::from(yields), found == expected, "a register has changed");
    }
    0
}
