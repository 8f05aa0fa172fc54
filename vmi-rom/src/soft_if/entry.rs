//! Where the processor enters when an exception or interrupt occurs.
//!
//! A stub for each vector leads to code that decides. With the flag set, or for an exception, it corrects the saved RFLAGS to what the
//! kernel believes, clears the flag as an interrupt gate does, and goes on to the kernel's handler with every register as
//! it was. With the flag clear, it notes the vector and returns. The interrupt stays unacknowledged in the local APIC,
//! which therefore raises no second one of that priority meanwhile: nothing can be lost, and nothing can storm.
//!
//! In user mode the flag is set, so whatever comes from there is delivered. GS is the program's then, and is so again when the
//! kernel's handler is entered, since the kernel swaps by itself; in between this ROM needs the kernel's. As long as the kernel
//! has not swapped, no interrupt may come, so the processor's flag stays clear until the kernel sets its own.
//!
//! Three vectors come at any instruction, even before that swap: see [`anywhere`](super::anywhere).

use crate::facts::PER_CPU_OFFSET;
use crate::gates::Stubs;
use crate::soft_if::anywhere::{VECTORS as ANYWHERE, enter_anywhere};
use crate::soft_if::flag::{PENDING, VECTORS};
use core::arch::{global_asm, naked_asm};

/// The vectors for which the processor pushes an error code (Intel SDM, vol. 3, table 6-1): 8, 10 to 14, 17, 21, 29 and 30.
const WITH_ERROR_CODE: u32 = 0x6022_7d00;

/// Distance between two stubs in bytes.
const STUB_SIZE: usize = 16;

// A stub pushes a word whose first byte is the vector and whose second the size of the error code below it.
global_asm!(
    ".section .text.vmi_rom_stubs, \"ax\"",
    ".balign {size}",
    ".globl vmi_rom_stubs",
    "vmi_rom_stubs:",
    ".set vector, 0",
    ".rept 256",
    "2:",
    // push imm32
    ".byte 0x68",
    ".if vector < 32 && ({with_error_code} >> vector) & 1",
    ".long vector + 0x800",
    ".else",
    ".long vector",
    ".endif",
    ".if vector < 32 && ({anywhere} >> vector) & 1",
    "jmp {enter_anywhere}",
    ".else",
    "jmp {enter}",
    ".endif",
    ".org 2b + {size}, 0xcc",
    ".set vector, vector + 1",
    ".endr",
    ".previous",
    size = const STUB_SIZE,
    with_error_code = const WITH_ERROR_CODE,
    anywhere = const ANYWHERE,
    enter_anywhere = sym enter_anywhere,
    enter = sym enter,
);

/// A stub for each vector.
#[derive(Debug)]
pub enum All {}

impl Stubs for All {
    fn stub(vector: usize) -> u64 {
        unsafe extern "C" {
            static vmi_rom_stubs: u8;
        }
        crate::address!(vmi_rom_stubs) + (vector * STUB_SIZE) as u64
    }
}

/// Saves three registers and loads them: RCX = vector, RDX = address of the processor's frame, RAX = distance of the per-CPU bytes.
/// Replaces the stub's word by the address of the kernel's handler.
macro_rules! begin {
    () => {
        "push rax
        push rcx
        push rdx
        movzx ecx, byte ptr [rsp + 24]
        movzx edx, byte ptr [rsp + 25]
        lea rdx, [rsp + rdx + 32]
        lea rax, [rip + {handlers}]
        mov rax, [rax + rcx * 8]
        mov [rsp + 24], rax
        mov rax, [rip + {offset}]"
    };
}
pub(super) use begin;

/// Brings the saved registers back. On top of what the processor has pushed lies the address of the kernel's handler.
macro_rules! end {
    () => {
        "pop rdx
        pop rcx
        pop rax"
    };
}
pub(super) use end;

/// Moves the flag into the frame at RDX, and clears it. Changes RCX.
macro_rules! move_flag_into_frame {
    () => {
        "and dword ptr [rdx + 16], ~0x200
        mov ecx, gs:[rax]
        or [rdx + 16], ecx
        mov dword ptr gs:[rax], 0"
    };
}
pub(super) use move_flag_into_frame;

/// Stack: the stub's word, perhaps an error code, RIP, CS, RFLAGS, RSP, SS. Exceptions have vectors below 32, interrupts others.
#[unsafe(naked)]
extern "sysv64" fn enter() {
    naked_asm!(
        begin!(),
        "test byte ptr [rdx + 8], 3",
        "jnz {enter_from_user_mode}",
        "cmp ecx, 32",
        "jb 2f",
        "cmp dword ptr gs:[rax], 0",
        "je 3f",
        "2:",
        move_flag_into_frame!(),
        end!(),
        "sti",
        "ret",
        // The kernel has interrupts masked: note the vector, and return as if nothing had happened.
        "3:",
        "bts qword ptr gs:[rax + {vectors}], rcx",
        "mov byte ptr gs:[rax + {pending}], 1",
        end!(),
        "add rsp, 8",
        "iretq",
        offset = sym PER_CPU_OFFSET,
        handlers = sym crate::gates::HANDLERS,
        enter_from_user_mode = sym enter_from_user_mode,
        vectors = const VECTORS,
        pending = const PENDING,
    )
}

/// The rest of the way from user mode, where the flag is set, as the saved RFLAGS say already. Stack and registers are as after `begin!`.
#[unsafe(naked)]
pub(super) extern "sysv64" fn enter_from_user_mode() {
    naked_asm!("swapgs", "mov dword ptr gs:[rax], 0", "swapgs", end!(), "ret")
}
