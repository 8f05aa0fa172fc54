//! The calls that the flag changes the meaning of.
//!
//! While the kernel's flag is set, the processor's is set as well; this is what the calls below leave behind. The order in each:
//! set the flag first, look for held-back interrupts second. One that arrives in between is delivered at once, and one
//! that arrived before is found.

use crate::facts::PER_CPU_OFFSET;
use crate::soft_if::flag::PENDING;
use crate::soft_if::gates::HANDLERS;
use crate::soft_if::replay::{deliver, take};
use core::arch::naked_asm;

/// Call 29. Changes nothing but the processor's flags.
#[unsafe(naked)]
pub extern "sysv64" fn enable() {
    naked_asm!(
        "push rax",
        "mov rax, [rip + {offset}]",
        "mov dword ptr gs:[rax], 0x200",
        "cmp byte ptr gs:[rax + {pending}], 0",
        "pop rax",
        "jne {deliver}",
        "sti",
        "ret",
        offset = sym PER_CPU_OFFSET,
        pending = const PENDING,
        deliver = sym deliver,
    )
}

/// Call 32. Changes nothing but the processor's flags.
#[unsafe(naked)]
pub extern "sysv64" fn restore() {
    naked_asm!(
        "test edi, 0x200",
        "jnz {enable}",
        "push rax",
        "mov rax, [rip + {offset}]",
        "mov dword ptr gs:[rax], 0",
        "pop rax",
        "ret",
        enable = sym enable,
        offset = sym PER_CPU_OFFSET,
    )
}

/// Call 35. The processor's flag is clear between the look for interrupts and the stop, and set by the last instruction before
/// it, so that none slips in between.
#[unsafe(naked)]
pub extern "sysv64" fn halt() {
    naked_asm!(
        "mov rax, [rip + {offset}]",
        "cli",
        "mov dword ptr gs:[rax], 0x200",
        "cmp byte ptr gs:[rax + {pending}], 0",
        "jne {deliver}",
        "sti",
        "hlt",
        "ret",
        offset = sym PER_CPU_OFFSET,
        pending = const PENDING,
        deliver = sym deliver,
    )
}

/// Calls 33 and 34, jumped to. Stack: RIP, CS, RFLAGS, RSP, SS.
///
/// The flag becomes what the frame says. If that is "set" with interrupts held back, then on return to the kernel the frame
/// becomes the frame of the next interrupt, as if it had arrived right after this return; on return to user mode they are
/// all delivered here first, since the frame belongs to the bottom of the kernel's stack.
#[unsafe(naked)]
pub extern "sysv64" fn iret() {
    naked_asm!(
        // Room for a handler's address, then three registers. The frame is at [rsp + 32].
        "push 0",
        "push rax",
        "push rcx",
        "push rdx",
        "2:",
        "cli",
        "mov rax, [rip + {offset}]",
        "mov ecx, [rsp + 48]",
        "and ecx, 0x200",
        "mov gs:[rax], ecx",
        "jz 3f",
        "cmp byte ptr gs:[rax + {pending}], 0",
        "jne 5f",
        // Return, with the processor's flag set whatever the kernel's is.
        "3:",
        "or dword ptr [rsp + 48], 0x200",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "add rsp, 8",
        "test byte ptr [rsp + 8], 3",
        "jz 4f",
        "swapgs",
        "4:",
        "iretq",
        "5:",
        "test byte ptr [rsp + 40], 3",
        "jz 6f",
        "call {deliver}",
        "jmp 2b",
        // Enter the next handler on the same frame.
        "6:",
        "call {take}",
        "test ecx, ecx",
        "js 3b",
        "mov dword ptr gs:[rax], 0",
        "lea rax, [rip + {handlers}]",
        "mov rax, [rax + rcx * 8]",
        "mov [rsp + 24], rax",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "sti",
        "ret",
        offset = sym PER_CPU_OFFSET,
        pending = const PENDING,
        deliver = sym deliver,
        take = sym take,
        handlers = sym HANDLERS,
    )
}
