//! Where the processor enters when an exception or interrupt occurs.
//!
//! A stub for each vector leads to code that decides. With the flag set, or for an exception, it corrects the saved RFLAGS to what the
//! kernel believes, clears the flag as an interrupt gate does, and goes on to the kernel's handler with every register as
//! it was. With the flag clear, it notes the vector and returns. The interrupt stays unacknowledged in the local APIC,
//! which therefore raises no second one of that priority meanwhile: nothing can be lost, and nothing can storm.

use crate::facts::PER_CPU_OFFSET;
use crate::soft_if::flag::{PENDING, VECTORS};
use crate::soft_if::gates::HANDLERS;
use core::arch::{global_asm, naked_asm};

/// Distance between two stubs in bytes.
const STUB_SIZE: usize = 16;

// A stub: push the vector, and go on by whether the processor has pushed an error code (vectors 8, 10 to 14, 17, 21, 29, 30).
global_asm!(
    ".section .text.vmi_rom_stubs, \"ax\"",
    ".balign {size}",
    ".globl vmi_rom_stubs",
    "vmi_rom_stubs:",
    ".set vector, 0",
    ".rept 256",
    "2:",
    ".if vector < 128",
    "push vector",
    ".else",
    ".byte 0x68",
    ".long vector",
    ".endif",
    ".if vector < 32 && (0x60227d00 >> vector) & 1",
    "jmp {with_error_code}",
    ".else",
    "jmp {without_error_code}",
    ".endif",
    ".org 2b + {size}, 0xcc",
    ".set vector, vector + 1",
    ".endr",
    ".previous",
    size = const STUB_SIZE,
    with_error_code = sym with_error_code,
    without_error_code = sym without_error_code,
);

/// Address of the stub of `vector`.
pub fn stub(vector: usize) -> u64 {
    unsafe extern "C" {
        static vmi_rom_stubs: u8;
    }
    crate::address!(vmi_rom_stubs) + (vector * STUB_SIZE) as u64
}

/// Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS. Always an exception, so always delivered.
#[unsafe(naked)]
extern "sysv64" fn with_error_code() {
    naked_asm!(
        "test byte ptr [rsp + 24], 3",
        "jnz 3f",
        // From the kernel: the flag goes into the frame, and the processor's goes on again.
        "push rax",
        "push rcx",
        "mov rax, [rip + {offset}]",
        "mov ecx, gs:[rax]",
        "and dword ptr [rsp + 48], ~0x200",
        "or [rsp + 48], ecx",
        "mov dword ptr gs:[rax], 0",
        "call {handler}",
        "pop rcx",
        "pop rax",
        "sti",
        "ret",
        // From user mode, where the flag is always set: GS is the user's, and stays so until the kernel has swapped it.
        "3:",
        "swapgs",
        "push rax",
        "push rcx",
        "mov rax, [rip + {offset}]",
        "mov dword ptr gs:[rax], 0",
        "call {handler}",
        "pop rcx",
        "pop rax",
        "swapgs",
        "ret",
        offset = sym PER_CPU_OFFSET,
        handler = sym handler_for_vector,
    )
}

/// Stack: vector, RIP, CS, RFLAGS, RSP, SS. An exception below vector 32, an interrupt from there on.
#[unsafe(naked)]
extern "sysv64" fn without_error_code() {
    naked_asm!(
        "test byte ptr [rsp + 16], 3",
        "jnz 3f",
        "push rax",
        "push rcx",
        "mov rax, [rip + {offset}]",
        "cmp dword ptr [rsp + 16], 32",
        "mov ecx, gs:[rax]",
        "jb 2f",
        "test ecx, ecx",
        "jz 4f",
        "2:",
        "and dword ptr [rsp + 40], ~0x200",
        "or [rsp + 40], ecx",
        "mov dword ptr gs:[rax], 0",
        "call {handler}",
        "pop rcx",
        "pop rax",
        "sti",
        "ret",
        "3:",
        "swapgs",
        "push rax",
        "push rcx",
        "mov rax, [rip + {offset}]",
        "mov dword ptr gs:[rax], 0",
        "call {handler}",
        "pop rcx",
        "pop rax",
        "swapgs",
        "ret",
        // The kernel has interrupts masked: note the vector, and return as if nothing had happened.
        "4:",
        "mov ecx, [rsp + 16]",
        "bts qword ptr gs:[rax + {vectors}], rcx",
        "mov byte ptr gs:[rax + {pending}], 1",
        "pop rcx",
        "pop rax",
        "add rsp, 8",
        "iretq",
        offset = sym PER_CPU_OFFSET,
        handler = sym handler_for_vector,
        vectors = const VECTORS,
        pending = const PENDING,
    )
}

/// Replaces the vector on the stack by the address of the kernel's handler. Stack: return address, RCX, RAX, vector.
/// Changes RAX and RCX.
#[unsafe(naked)]
extern "sysv64" fn handler_for_vector() {
    naked_asm!(
        "mov ecx, [rsp + 24]",
        "lea rax, [rip + {handlers}]",
        "mov rax, [rax + rcx * 8]",
        "mov [rsp + 24], rax",
        "ret",
        handlers = sym HANDLERS,
    )
}
