//! The report of an exception: what happened, the registers, and who called whom.

use super::page_fault::{PageFault, Reason};
use super::{probe, stack};
use crate::panic::tell;
use arch::{Exception, TrapFrame, VirtAddr};
use core::arch::asm;
use kernel_logic::backtrace;

/// Of a longer backtrace, only the innermost calls are printed: enough to see a recursion.
const MAX_FRAMES: usize = 32;

pub(super) fn print(frame: &TrapFrame, address: VirtAddr) {
    tell(format_args!(
        "EXCEPTION: {} at {:#018x}, error code {:#x}\n",
        frame.exception(),
        frame.rip,
        frame.error_code
    ));
    if frame.exception() == Exception::PAGE_FAULT {
        let fault = PageFault(frame.error_code);
        tell(format_args!("{fault} at {address:#018x}, {}\n", Reason(fault)));
    }
    if stack::is_guard(address) {
        tell(format_args!(
            "stack overflow: {address:#x} is in the guard page below the stack\n"
        ));
    }
    print_registers(frame, address);
    tell(format_args!("backtrace:\n"));
    print_frames(Some(frame.rip), frame.rbp);
}

/// Prints who called this function, and so on.
#[inline(never)]
pub fn print_backtrace_from_here() {
    let rbp: u64;
    // SAFETY: only reads a register.
    unsafe { asm!("mov {}, rbp", out(reg) rbp, options(nomem, nostack, preserves_flags)) };
    tell(format_args!("backtrace:\n"));
    print_frames(None, rbp);
}

fn print_registers(frame: &TrapFrame, address: VirtAddr) {
    let rows = [
        [
            ("rax", frame.rax),
            ("rbx", frame.rbx),
            ("rcx", frame.rcx),
            ("rdx", frame.rdx),
        ],
        [
            ("rsi", frame.rsi),
            ("rdi", frame.rdi),
            ("rbp", frame.rbp),
            ("rsp", frame.rsp),
        ],
        [
            ("r8 ", frame.r8),
            ("r9 ", frame.r9),
            ("r10", frame.r10),
            ("r11", frame.r11),
        ],
        [
            ("r12", frame.r12),
            ("r13", frame.r13),
            ("r14", frame.r14),
            ("r15", frame.r15),
        ],
        [
            ("rip", frame.rip),
            ("cs ", frame.cs),
            ("flg", frame.rflags),
            ("cr2", address.as_u64()),
        ],
    ];
    for row in rows {
        for (name, value) in row {
            tell(format_args!("  {name} {value:016x}"));
        }
        tell(format_args!("\n"));
    }
}

fn print_frames(first: Option<u64>, rbp: u64) {
    // SAFETY: a probe survives whatever is read, and reading the kernel's own stack has no effect.
    let read = |address| unsafe { probe::read(address as *const u64) }.ok();
    let callers = backtrace::return_addresses(stack::of(rbp), rbp, read);
    for (number, address) in first.into_iter().chain(callers).take(MAX_FRAMES).enumerate() {
        tell(format_args!("  #{number} {address:#018x}\n"));
    }
}
