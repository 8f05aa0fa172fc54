//! Flags that a program can set and that must not mean anything in the kernel (Intel SDM, vol. 1, 3.4.3).

use super::survived;
use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::{child, syscall};
use core::arch::asm;
use user_programs::End;

const TRAP: u64 = 1 << 8;
const INTERRUPT: u64 = 1 << 9;
const DIRECTION: u64 = 1 << 10;
const IO_PRIVILEGE: u64 = 3 << 12;
const NESTED_TASK: u64 = 1 << 14;
const ALIGNMENT: u64 = 1 << 18;

/// Sets the trap flag; with the argument `call`, the next instruction is a system call.
pub fn single_step(arguments: &Arguments) -> u8 {
    let call = arguments.get(1) == Some("call");
    // SAFETY: the program is stopped behind the next instruction; if not, it says so.
    unsafe {
        if call {
            asm!(
                "pushfq", "or qword ptr [rsp], {trap}", "mov eax, {getpid}", "popfq", "syscall", "nop", "nop",
                trap = const TRAP, getpid = const syscall::number::GETPID,
                out("rax") _, out("rcx") _, out("r11") _,
            );
        } else {
            asm!("pushfq", "or qword ptr [rsp], {trap}", "popfq", "nop", "nop", trap = const TRAP);
        }
    }
    survived("a single step")
}

/// Turns the checking of alignment on, calls the kernel, and reads a word across a boundary. Check 1: the call leaves the flag as it
/// is. Whether the processor then checks is the kernel's choice.
pub fn alignment_check(_: &Arguments) -> u8 {
    require(
        1,
        after_call(ALIGNMENT) & ALIGNMENT != 0,
        "a system call has changed the flag for alignment checks",
    );
    let words = [0_u64; 2];
    // SAFETY: the word lies in the two words; the stack is aligned.
    unsafe {
        asm!(
            "pushfq", "or qword ptr [rsp], {alignment}", "popfq",
            "mov {value}, [{words} + 1]",
            "pushfq", "and qword ptr [rsp], {rest}", "popfq",
            alignment = const ALIGNMENT, rest = const !(ALIGNMENT as i32),
            words = in(reg) words.as_ptr(), value = out(reg) _,
        );
    }
    0
}

/// Sets the flag of nested tasks, with which the kernel's way back would fault, and checks:
///
/// 1. calls work, a fork among them;
/// 2. so do a long time with interrupts, and a fault that the kernel repairs.
pub fn nested_task(_: &Arguments) -> u8 {
    after_call(NESTED_TASK);
    let page = crate::runtime::memory::zeroes(crate::runtime::memory::PAGE);
    let found: u64;
    // SAFETY: the loop and the read change nothing but the registers named.
    unsafe {
        asm!(
            "pushfq", "or qword ptr [rsp], {nested}", "popfq",
            "2:", "dec {count}", "jnz 2b",
            "mov {found}, [{page}]",
            "pushfq", "and qword ptr [rsp], {rest}", "popfq",
            nested = const NESTED_TASK, rest = const !(NESTED_TASK as i32),
            count = inout(reg) 20_000_000_u64 => _, page = in(reg) page, found = out(reg) found,
        );
    }
    require_equal(2, found, 0, "what is in a fresh page");
    child::must_end(1, End::Exit(0), || 0);
    0
}

/// Tries to give itself the right to use ports and to mask interrupts. Check 1: the flags stay as they were. Then it uses the
/// right that it does not have.
pub fn io_privilege(_: &Arguments) -> u8 {
    let flags: u64;
    // SAFETY: the instructions change nothing but flags that a program cannot change.
    unsafe {
        asm!(
            "pushfq", "or qword ptr [rsp], {privilege}", "and qword ptr [rsp], {masked}", "popfq", "pushfq", "pop {flags}",
            privilege = const IO_PRIVILEGE, masked = const !(INTERRUPT as i32), flags = out(reg) flags,
        );
    }
    require_equal(
        1,
        flags & (IO_PRIVILEGE | INTERRUPT),
        INTERRUPT,
        "the flags of privilege",
    );
    // SAFETY: the instruction faults.
    unsafe { asm!("cli") };
    survived("cli")
}

/// Calls the kernel with string instructions going backwards, and checks:
///
/// 1. the program's flag is as it was;
/// 2. the kernel's copying went forwards.
pub fn direction(_: &Arguments) -> u8 {
    require(
        1,
        after_call(DIRECTION) & DIRECTION != 0,
        "a system call has changed the direction flag",
    );
    let mut time = [u64::MAX; 3];
    // SAFETY: the call writes the second and third word; the direction is forwards again before any other code runs.
    unsafe {
        asm!(
            "std", "syscall", "cld",
            inout("rax") syscall::number::CLOCK_GETTIME => _, in("rdi") crate::runtime::time::MONOTONIC,
            in("rsi") &raw mut time[1], out("rcx") _, out("r11") _,
        );
    }
    require(
        2,
        time[0] == u64::MAX && time[1] != u64::MAX && time[2] < 1_000_000_000,
        "the time is in the wrong place",
    );
    let child = child::start(|| 0);
    child::expect(2, child, End::Exit(0));
    0
}

/// The flags after a system call that was made with `flag` set.
fn after_call(flag: u64) -> u64 {
    let flags;
    // SAFETY: the flags are as before when the block ends.
    unsafe {
        asm!(
            "pushfq", "pushfq", "or [rsp], {flag}", "popfq",
            "syscall",
            "pushfq", "pop {flag}", "popfq",
            flag = inout(reg) flag => flags,
            inout("rax") syscall::number::GETPID => _, out("rcx") _, out("r11") _,
        );
    }
    flags
}
