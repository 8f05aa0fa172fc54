//! The first and the last instructions of a program.

use super::arguments::Arguments;
use super::print::println;
use super::syscall;
use crate::status;
use core::arch::naked_asm;
use core::panic::PanicInfo;

/// Where the kernel enters: the stack pointer leads to the arguments (System V ABI for AMD64, 3.4.1), no register matters.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn _start() -> ! {
    naked_asm!("xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {main}", "ud2", main = sym main)
}

/// Runs the program and exits with its status.
extern "C" fn main(stack: *const usize) -> ! {
    // SAFETY: `_start` passes the stack pointer that the kernel set up, and nothing writes above it.
    let arguments = unsafe { Arguments::at(stack) };
    syscall::exit_group(crate::run(&arguments))
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("programs: {info}");
    syscall::exit_group(status::PANIC)
}
