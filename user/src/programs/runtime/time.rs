//! Clocks and sleep.

use super::syscall::{self, number};
use core::arch::x86_64::_rdtsc;

/// The clock that never goes back (clock_gettime(2)).
pub const MONOTONIC: usize = 1;

/// Nanoseconds on the clock `clock`.
pub fn clock(clock: usize) -> u64 {
    let mut time = [0_u64; 2];
    let arguments = [clock, time.as_mut_ptr() as usize, 0, 0, 0, 0];
    // SAFETY: the call writes two words, which are `time`.
    unsafe { syscall::raw(number::CLOCK_GETTIME, arguments) }.expect("the clock can be asked");
    time[0] * 1_000_000_000 + time[1]
}

/// Nanoseconds since some moment.
pub fn now() -> u64 {
    clock(MONOTONIC)
}

/// Sleeps for at least `milliseconds`.
pub fn sleep(milliseconds: u64) {
    let time = [milliseconds / 1000, milliseconds % 1000 * 1_000_000];
    syscall::harmless(number::NANOSLEEP, &[time.as_ptr() as usize, 0]).expect("a sleep is not disturbed");
}

/// The processor's count of cycles.
#[inline(always)]
pub fn cycles() -> u64 {
    // SAFETY: every x86-64 processor has it, and no kernel that these programs run on forbids it.
    unsafe { _rdtsc() }
}
