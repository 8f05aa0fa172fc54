//! Calls that do nothing.

use super::sample::{measure, timed};
use crate::runtime::arguments::Arguments;
use crate::runtime::syscall::number;
use core::arch::asm;

/// Calls in a batch.
const COUNT: u64 = 1000;

/// A call that only answers a number, `getpid`, and the four instructions of the loop around it.
pub fn null(_: &Arguments) -> u8 {
    measure("null-call", COUNT, || timed(calls::<{ number::GETPID }>))
}

/// A call to let others run when there is nobody else.
pub fn yield_alone(_: &Arguments) -> u8 {
    measure("call-yield-alone", COUNT, || timed(calls::<{ number::SCHED_YIELD }>))
}

/// Makes [`COUNT`] calls of number `NUMBER`.
fn calls<const NUMBER: usize>() {
    // SAFETY: the calls change no memory of this program.
    unsafe {
        asm!(
            "2:", "mov eax, {number}", "syscall", "dec {count:e}", "jnz 2b",
            number = const NUMBER, count = inout(reg) COUNT => _,
            out("rax") _, out("rcx") _, out("r11") _,
            options(nostack),
        );
    }
}
