//! Stack pointers that lead nowhere: a kernel that used one would fault in its own mode.

use super::survived;
use crate::runtime::arguments::Arguments;
use crate::runtime::memory::{self, PAGE};
use crate::runtime::syscall::number;
use core::arch::asm;
use core::hint::black_box;

/// Gives the stack pointer a bad value and then does something in which a stack could be used. A system call needs none and works: the
/// program calls `getpid` and then exits with status 0. So it does after a long time in which it is interrupted.
pub fn run(arguments: &Arguments) -> u8 {
    let stack = match arguments.required(1) {
        "zero" => 0,
        "hole" => 0x8000_0000_0000_0000,
        "end" => 0x0000_8000_0000_0000,
        "kernel" => 0xffff_ffff_8020_0000,
        "read-only" => read_only_page() + PAGE,
        "unmapped" => 0x10_0000,
        other => arguments.refuse("knows no stack", other),
    };
    // SAFETY: none of these blocks comes back to a function that has its stack taken away: each ends the process.
    unsafe {
        match arguments.required(2) {
            "push" => asm!("mov rsp, {}", "push rax", "ud2", in(reg) stack, options(noreturn)),
            "breakpoint" => asm!("mov rsp, {}", "int3", "ud2", in(reg) stack, options(noreturn)),
            "undefined" => asm!("mov rsp, {}", "ud2", in(reg) stack, options(noreturn)),
            "call" => exit_after(stack, 1),
            "spin" => exit_after(stack, 20_000_000),
            other => arguments.refuse("does not know what to do:", other),
        }
    }
}

/// A page that can be read but not written.
fn read_only_page() -> usize {
    memory::map(0, PAGE, memory::READ, 0).expect("there is memory")
}

/// With the stack pointer at `stack`, counts to `count`, calls `getpid`, and exits with status 0.
///
/// # Safety
/// Nothing; it is marked because the stack is gone.
unsafe fn exit_after(stack: usize, count: u64) -> ! {
    // SAFETY: no instruction uses the stack, and the last call does not return.
    unsafe {
        asm!(
            "mov rsp, {stack}",
            "2:", "dec {count}", "jnz 2b",
            "mov eax, {getpid}", "syscall",
            "mov eax, {exit_group}", "xor edi, edi", "syscall",
            "ud2",
            getpid = const number::GETPID, exit_group = const number::EXIT_GROUP,
            stack = in(reg) stack, count = in(reg) count,
            options(noreturn),
        )
    }
}

/// Calls itself until the stack is at its end.
pub fn overflow(_: &Arguments) -> u8 {
    deeper(0);
    survived("a stack without an end")
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let page = [depth; 512];
    black_box(&page);
    if black_box(true) {
        deeper(depth + 1) + page[0]
    } else {
        0
    }
}
