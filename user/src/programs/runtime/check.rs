//! Saying which of a program's checks failed.

use super::print::println;
use super::syscall;
use core::fmt::Debug;

/// Goes on if `good`; else says `what` is wrong and ends the whole process with status `number`, which is the program's own number
/// of the check, from 1 to 99.
#[track_caller]
pub fn require(number: u8, good: bool, what: &str) {
    if !good {
        println!("programs: check {number} failed: {what}");
        syscall::exit_group(number)
    }
}

/// The same, for two values that must be equal.
#[track_caller]
pub fn require_equal<T: PartialEq + Debug>(number: u8, found: T, expected: T, what: &str) {
    if found != expected {
        println!("programs: check {number} failed: {what}: {found:?} instead of {expected:?}");
        syscall::exit_group(number)
    }
}
