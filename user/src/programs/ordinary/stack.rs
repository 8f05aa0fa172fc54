//! The stack, which is filled as it is used.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::require_equal;
use core::hint::black_box;

/// Words in one call's share: half a page.
const WORDS: usize = 256;

/// Calls itself until that many KiB of stack are in use. Check 1: on the way back, everything is still there.
pub fn run(arguments: &Arguments) -> u8 {
    deeper(arguments.number(1, 1024) / 2);
    0
}

/// Writes half a page, goes `left` deeper, and looks again.
#[inline(never)]
fn deeper(left: usize) {
    let mut words = [left; WORDS];
    black_box(&mut words);
    if left > 0 {
        deeper(left - 1);
    }
    black_box(&mut words);
    require_equal(1, words[0], left, "what was on the stack");
    require_equal(1, words[WORDS - 1], left, "what was on the stack");
}
