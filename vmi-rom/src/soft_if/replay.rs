//! Making up for interrupts that were held back.
//!
//! An interrupt is made up for by the instruction `int`: it pushes the frame that hardware would have pushed, on the stack that hardware
//! would have taken, and comes in through the same stub as the original. Where the kernel returns from a handler with
//! more to deliver, the frame it is about to pop serves again, so that a burst of interrupts does not eat the stack.

use crate::facts::PER_CPU_OFFSET;
use crate::soft_if::flag::{PENDING, VECTORS};
use core::arch::{global_asm, naked_asm};

/// Distance between two routines in bytes.
const ROUTINE_SIZE: usize = 4;

// For each vector a routine that raises it.
global_asm!(
    ".section .text.vmi_rom_raise, \"ax\"",
    ".balign {size}",
    "vmi_rom_raise:",
    ".set vector, 0",
    ".rept 256",
    ".byte 0xcd, vector, 0xc3, 0xcc",
    ".set vector, vector + 1",
    ".endr",
    ".globl vmi_rom_raise",
    ".previous",
    size = const ROUTINE_SIZE,
);

unsafe extern "C" {
    static vmi_rom_raise: u8;
}

/// Delivers all interrupts held back, then returns with the processor's flag set.
///
/// Called with the kernel's flag set. Changes nothing but the processor's flags.
#[unsafe(naked)]
pub extern "sysv64" fn deliver() {
    naked_asm!(
        "push rax",
        "push rcx",
        "push rdx",
        "2:",
        "cli",
        "mov rax, [rip + {offset}]",
        "call {take}",
        "test ecx, ecx",
        "js 3f",
        "lea rax, [rip + {raise}]",
        "lea rax, [rax + rcx * {size}]",
        "call rax",
        "jmp 2b",
        "3:",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "sti",
        "ret",
        offset = sym PER_CPU_OFFSET,
        take = sym take,
        raise = sym vmi_rom_raise,
        size = const ROUTINE_SIZE,
    )
}

/// Takes the highest vector off those held back, as the local APIC would: in ECX, or -1 when there is none left.
///
/// RAX = distance of the per-CPU bytes. Called with the processor's flag clear. Changes RCX and RDX.
#[unsafe(naked)]
pub extern "sysv64" fn take() {
    naked_asm!(
        "mov ecx, 3",
        "2:",
        "mov rdx, gs:[rax + rcx * 8 + {vectors}]",
        "bsr rdx, rdx",
        "jnz 3f",
        "dec ecx",
        "jns 2b",
        "mov byte ptr gs:[rax + {pending}], 0",
        "ret",
        "3:",
        "shl ecx, 6",
        "add ecx, edx",
        "btr qword ptr gs:[rax + {vectors}], rcx",
        "ret",
        vectors = const VECTORS,
        pending = const PENDING,
    )
}
