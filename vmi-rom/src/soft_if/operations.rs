//! The calls that the flag changes the meaning of.
//!
//! While the kernel's flag is set, the processor's is set as well; this is what the calls below leave behind. The order in each:
//! set the flag first, look for held-back interrupts second. One that arrives in between is delivered at once, and one
//! that arrived before is found.

use crate::facts::PER_CPU_OFFSET;
use crate::gates::HANDLERS;
use crate::soft_if::anywhere::return_anywhere;
use crate::soft_if::flag::{PENDING, RETURNS};
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

/// Call 33, jumped to. Stack: RIP, CS, RFLAGS, RSP, SS. GS is the kernel's.
///
/// The flag becomes what the frame says. If that is "set" with interrupts held back, the frame becomes the frame of the next
/// interrupt, as if it had arrived right after this return; so that user mode, too, is seen to be interrupted.
#[unsafe(naked)]
pub extern "sysv64" fn iret() {
    naked_asm!(
        // Room for a handler's address, then three registers. The frame is at [rsp + 32].
        "push 0",
        "push rax",
        "push rcx",
        "push rdx",
        "cli",
        "mov rax, [rip + {offset}]",
        "cmp byte ptr gs:[rax + {returns}], 0",
        "je 2f",
        "lea rcx, [rsp + 32]",
        "call {return_anywhere}",
        "2:",
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
        // Enter the next handler on the same frame, as the stubs do.
        "5:",
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
        "test byte ptr [rsp + 16], 3",
        "jnz 6f",
        "sti",
        "ret",
        "6:",
        "swapgs",
        "ret",
        offset = sym PER_CPU_OFFSET,
        pending = const PENDING,
        returns = const RETURNS,
        return_anywhere = sym return_anywhere,
        take = sym take,
        handlers = sym HANDLERS,
    )
}

/// Call 34, jumped to. Stack: as for 33; RCX = RIP, R11 = RFLAGS. GS is the kernel's.
#[unsafe(naked)]
pub extern "sysv64" fn sysret() {
    naked_asm!(
        "push rax",
        "mov rax, [rip + {offset}]",
        "cli",
        "mov dword ptr gs:[rax], 0x200",
        "cmp byte ptr gs:[rax + {pending}], 0",
        "pop rax",
        "jne {iret}",
        "mov rsp, [rsp + 24]",
        "swapgs",
        "sysretq",
        offset = sym PER_CPU_OFFSET,
        pending = const PENDING,
        iret = sym iret,
    )
}
