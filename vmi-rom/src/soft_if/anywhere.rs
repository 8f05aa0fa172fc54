//! The three vectors that come whatever the flag says, and at any instruction: the non-maskable interrupt, the double fault, the machine
//! check.
//!
//! Their gates have stacks of their own, so the stack is no worry. GS is: the kernel runs with a program's for a few instructions
//! after each entry and before each return. So is the processor's flag, which is clear during these, though everywhere else
//! this ROM keeps it set. Both are found out here and written down, the kernel's handler gets GS as it should be, and its
//! return restores what was found: see [`return_anywhere`].
//!
//! The note is kept in the per-CPU bytes, a word for each vector since they nest: the address of the frame, by which its return is
//! recognised, and in the lowest bits of that, zero in any such address, what was found.

use crate::facts::PER_CPU_OFFSET;
use crate::soft_if::entry::{begin, end, enter_from_user_mode, move_flag_into_frame};
use crate::soft_if::flag::{NOTES, NOTES_END, RETURNS};
use core::arch::naked_asm;

/// The vectors, as a bit mask: 2, 8 and 18. Divided by 8 these are 0, 1 and 2, the numbers of their notes.
pub const VECTORS: u32 = 1 << 2 | 1 << 8 | 1 << 18;

/// In a note: GS was a program's.
const SWAPPED: u8 = 1;
/// In a note: the processor's flag was set.
const INTERRUPTIBLE: u8 = 2;
/// Above all bits of a note that are not the address.
const FOUND_END: u8 = 4;

/// The register that holds the GS base in use (Intel SDM, vol. 4, table 2-2, `IA32_GS_BASE`).
const GS_BASE: u32 = 0xc000_0101;

/// Stack as in [`enter`](super::entry): the stub's word, perhaps an error code, RIP, CS, RFLAGS, RSP, SS.
///
/// What comes from user mode needs no note. The processor's flag is left clear for the handler, which may not be interrupted: it
/// has only one stack.
#[unsafe(naked)]
pub extern "sysv64" fn enter_anywhere() {
    naked_asm!(
        begin!(),
        "test byte ptr [rdx + 8], 3",
        "jnz {enter_from_user_mode}",
        "push rbx",
        // RBX = the note, RCX = where it goes.
        "mov rbx, rdx",
        "test dword ptr [rdx + 16], 0x200",
        "jz 2f",
        "or rbx, {interruptible}",
        "2:",
        "and ecx, ~7",
        "add rcx, rax",
        // Addresses of the kernel are negative, those of programs are not.
        "push rax",
        "push rcx",
        "push rdx",
        "mov ecx, {gs_base}",
        "rdmsr",
        "test edx, edx",
        "js 3f",
        "swapgs",
        "or rbx, {swapped}",
        "3:",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "mov gs:[rcx + {notes}], rbx",
        "inc byte ptr gs:[rax + {returns}]",
        move_flag_into_frame!(),
        "pop rbx",
        end!(),
        "ret",
        offset = sym PER_CPU_OFFSET,
        handlers = sym crate::gates::HANDLERS,
        enter_from_user_mode = sym enter_from_user_mode,
        interruptible = const INTERRUPTIBLE,
        gs_base = const GS_BASE,
        swapped = const SWAPPED,
        notes = const NOTES,
        returns = const RETURNS,
    )
}

/// Looks whether the frame at RCX is one that there is a note of; goes back if not, else returns by it, with the processor's flag and
/// GS as they were found. Nothing is delivered: whoever was interrupted does that, or had the flag clear.
///
/// Called by [`iret`](super::operations::iret). Stack: return address, RDX, RCX, RAX, a free word, the frame. RAX = distance of
/// the per-CPU bytes. Called with the processor's flag clear. Changes RCX and RDX.
#[unsafe(naked)]
pub extern "sysv64" fn return_anywhere() {
    naked_asm!(
        "mov edx, {notes}",
        "2:",
        "xor rcx, gs:[rax + rdx]",
        "cmp rcx, {found_end}",
        "jb 3f",
        "xor rcx, gs:[rax + rdx]",
        "add edx, 8",
        "cmp edx, {notes_end}",
        "jb 2b",
        "ret",
        "3:",
        "mov qword ptr gs:[rax + rdx], 0",
        "dec byte ptr gs:[rax + {returns}]",
        // The flag is what the frame says, and the frame's is what the processor's was.
        "mov edx, [rsp + 56]",
        "and edx, 0x200",
        "mov gs:[rax], edx",
        "and dword ptr [rsp + 56], ~0x200",
        "test cl, {interruptible}",
        "jz 4f",
        "or dword ptr [rsp + 56], 0x200",
        "4:",
        "test cl, {swapped}",
        "jz 5f",
        "swapgs",
        "5:",
        "add rsp, 8",
        end!(),
        "add rsp, 8",
        "iretq",
        notes = const NOTES,
        notes_end = const NOTES_END,
        found_end = const FOUND_END,
        returns = const RETURNS,
        interruptible = const INTERRUPTIBLE,
        swapped = const SWAPPED,
    )
}
