//! System calls: the way up that is taken most.
//!
//! Xen comes by the `syscall` of a program and goes on at the callback, having exchanged page tables, stack and GS on the way:
//! two loads of CR3 and some 750 instructions for the round trip, none of which a kernel can save. So what is added here is
//! little: the registers are pushed onto the thread's stack in the order of a [`TrapFrame`], those that Xen has pushed
//! being taken from its frame on the entry stack. RCX and R11 after a `syscall` are RIP and RFLAGS, and are taken from there.
//!
//! For the way back Xen has a flag (`VGCF_in_syscall`). With it Xen leaves by `sysret`, and does not look at RCX and R11. It is not
//! used here: if an event is delivered on that way, before the program's next instruction, the program would find in the two what
//! the hypercall itself left there, an address in the kernel and the kernel's flags. Without it they are what the border
//! promises, and by Xen's count of instructions the way is even shorter.

use crate::cpu::entry_stack::NEXT_STACK;
use crate::hypercall::IRET;
use crate::hypercall::callback::{KERNEL_CODE, KERNEL_DATA};
use crate::trap::{common, leave};
use arch::user::SYSTEM_CALL;
use arch::{Exception, Kernel, TrapFrame};
use core::arch::naked_asm;
use core::mem::offset_of;

/// Where in the frame an `iret_context` begins that ends where the frame does: RAX, R11, RCX and the flags come before RIP.
const CONTEXT: usize = offset_of!(TrapFrame, rip) - 32;
const _: () = assert!(CONTEXT + 24 == offset_of!(TrapFrame, error_code));

/// The entry for system calls. Only 64-bit code of a program comes here, and for that there is one code selector.
///
/// # Safety
/// Entered by Xen, as the callback of this kind, on the entry stack and with events masked.
#[unsafe(naked)]
pub unsafe extern "C" fn system_call<K: Kernel>() {
    naked_asm!(
        "mov rcx, rsp",
        "mov rsp, gs:[{NEXT_STACK}]",
        "push {user_stack}",
        "push [rcx + 40]",
        "push [rcx + 32]",
        "push {user_code}",
        "push [rcx + 16]",
        "push 0",
        "push {vector}",
        "push rdi",
        "push rsi",
        "push rdx",
        "push [rcx + 16]",
        "push rax",
        "push r8",
        "push r9",
        "push r10",
        "push [rcx + 32]",
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "cld",
        "mov rdi, rsp",
        "call {handle}",
        arch::finish_system_call!(),
        // The frame's end becomes an `iret_context`; the word for its flags is that of the error code, and zero.
        "mov [rsp + {context} + 16], rcx",
        "mov [rsp + {context} + 8], r11",
        "mov [rsp + {context}], rax",
        "add rsp, {context}",
        arch::count_call!(),
        "mov eax, {iret}",
        "syscall",
        "ud2",
        "3:",
        arch::restore_registers!(),
        "jmp {leave}",
        NEXT_STACK = const NEXT_STACK,
        user_stack = const KERNEL_DATA,
        user_code = const KERNEL_CODE,
        vector = const SYSTEM_CALL,
        context = const CONTEXT,
        count = const arch::calls::offset(IRET as usize),
        iret = const IRET,
        handle = sym handle::<K>,
        leave = sym leave,
    )
}

/// The entry for system calls in 32-bit mode. Xen's descriptors let a program go there, but there are no system calls of that
/// kind here, so the instruction does not exist either: it is reported as invalid, at its own address two bytes back.
///
/// # Safety
/// Entered by Xen, as the callback of this kind.
#[unsafe(naked)]
pub unsafe extern "C" fn system_call_32<K: Kernel>() {
    naked_asm!(
        "pop rcx",
        "pop r11",
        "sub qword ptr [rsp], 2",
        "push 0",
        "push {vector}",
        "jmp {common}",
        vector = const Exception::INVALID_OPCODE.0,
        common = sym common::<K>,
    )
}

/// Goes to user mode with the registers in `frame`.
///
/// They are first copied to the stack in use: at any moment Xen may push a frame below RSP, for an exception that knows no mask.
///
/// # Safety
/// As [`CpuOps::enter_user`](arch::CpuOps::enter_user) asks.
#[unsafe(naked)]
pub unsafe extern "C" fn enter_user(frame: &TrapFrame) -> ! {
    naked_asm!(
        "mov rsi, rdi",
        "sub rsp, {size}",
        "mov rdi, rsp",
        "mov ecx, {words}",
        "rep movsq",
        arch::restore_registers!(),
        "jmp {leave}",
        size = const size_of::<TrapFrame>(),
        words = const size_of::<TrapFrame>() / size_of::<u64>(),
        leave = sym leave,
    )
}

/// Gives the frame to the core.
extern "C" fn handle<K: Kernel>(frame: &mut TrapFrame) {
    K::system_call(frame);
}
