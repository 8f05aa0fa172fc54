//! The way up: exceptions and events, as Xen delivers them.
//!
//! Xen takes every exception of the machine itself. One that concerns the guest it *bounces*: it writes a frame like the
//! processor's onto the guest's stack and continues at the handler the guest registered. The frame is not quite the
//! processor's. RCX and R11 lie on top, since Xen came by `sysret` and had to use them; the code selector's upper half holds
//! the interrupt mask as it was; and the kernel, which really runs in ring 3, is called privilege 0. There is no table of
//! stacks either: a fault on a full stack cannot be bounced, and Xen ends the domain with a report of its own.
//!
//! The way back is a hypercall that takes the frame: it restores the mask and delivers what is pending, in one step.
//!
//! Source: Xen's public header `arch-x86/xen-x86_64.h` (`iret_context`, and the frame described there).

pub mod call;
pub mod entries;

use crate::cpu::entry_stack::{self, END, NEXT_STACK, SIZE};
use crate::event;
use crate::hypercall::callback::{CallbackKind, register, set_trap_table};
use crate::hypercall::{Granted, IRET};
use arch::{Exception, Kernel, TrapFrame};
use core::arch::naked_asm;

/// Has Xen deliver exceptions and events to `K` on the boot CPU; the others start with this told (`smp.rs`).
pub fn install<K: Kernel>() {
    let entries = entries::remember::<K>();
    // SAFETY: each address is the stub below for that vector or that kind of callback.
    unsafe {
        set_trap_table(&entries.table).granted();
        register(CallbackKind::Event, entries.event).granted();
        register(CallbackKind::Failsafe, entries.failsafe).granted();
        register(CallbackKind::SystemCall, entries.system_call).granted();
    }
    install_on_this_cpu();
}

/// What each CPU must do itself: tell Xen the entry that cannot be told beforehand, and know its entry stack.
pub fn install_on_this_cpu() {
    entry_stack::remember_end();
    // SAFETY: the address is the stub for this kind of callback.
    unsafe { register(CallbackKind::SystemCall32, entries::get().system_call_32) }.granted();
}

/// The entry for exception `VECTOR`: completes Xen's frame to an error code and a vector.
///
/// # Safety
/// Entered by Xen, as the trap table says.
#[unsafe(naked)]
unsafe extern "C" fn exception<K: Kernel, const VECTOR: u8>() {
    naked_asm!(
        "pop rcx",
        "pop r11",
        ".if {has_error_code} == 0",
        "push 0",
        ".endif",
        "push {vector}",
        "jmp {common}",
        has_error_code = const Exception::WITH_ERROR_CODE >> VECTOR & 1,
        vector = const VECTOR,
        common = sym common::<K>,
    )
}

/// The entry for an exception of the machine, which may come at any moment: also when RSP is still on the entry stack, though the
/// frame says that the kernel was interrupted. The thread's stack is unused then, so on it goes there.
///
/// # Safety
/// As for [`exception`].
#[unsafe(naked)]
unsafe extern "C" fn machine_exception<K: Kernel, const VECTOR: u8>() {
    naked_asm!(
        "mov rcx, gs:[{END}]",
        "sub rcx, rsp",
        "cmp rcx, {SIZE}",
        "pop rcx",
        "pop r11",
        "push 0",
        "push {vector}",
        "jbe {leave_entry_stack}",
        "jmp {common}",
        END = const END,
        SIZE = const SIZE,
        vector = const VECTOR,
        leave_entry_stack = sym leave_entry_stack::<K>,
        common = sym common::<K>,
    )
}

/// Xen could not go back to the guest with the segments it was asked for, and hands them over above RCX and R11. Nothing here
/// loads segments, so it is reported as what the processor made of it, a general protection fault.
///
/// # Safety
/// Entered by Xen, as the callback of this kind.
#[unsafe(naked)]
unsafe extern "C" fn failsafe<K: Kernel>() {
    naked_asm!(
        "pop rcx",
        "pop r11",
        "add rsp, 32",
        "push 0",
        "push {vector}",
        "jmp {common}",
        vector = const Exception::GENERAL_PROTECTION.0,
        common = sym common::<K>,
    )
}

/// Goes on with a frame that has vector and error code: from user mode, on the thread's own stack.
///
/// # Safety
/// Entered by the stubs above, on the frame they leave.
#[unsafe(naked)]
unsafe extern "C" fn common<K: Kernel>() {
    naked_asm!(
        "test byte ptr [rsp + 24], 3",
        "jnz {leave_entry_stack}",
        "jmp {complete}",
        leave_entry_stack = sym leave_entry_stack::<K>,
        complete = sym complete::<K>,
    )
}

/// Carries the frame over from the entry stack to the thread's.
///
/// # Safety
/// As for [`common`]; the frame is on the entry stack.
#[unsafe(naked)]
unsafe extern "C" fn leave_entry_stack<K: Kernel>() {
    naked_asm!(
        "push rcx",
        "mov rcx, rsp",
        "mov rsp, gs:[{NEXT_STACK}]",
        "push [rcx + 56]",
        "push [rcx + 48]",
        "push [rcx + 40]",
        "push [rcx + 32]",
        "push [rcx + 24]",
        "push [rcx + 16]",
        "push [rcx + 8]",
        "mov rcx, [rcx]",
        "jmp {complete}",
        NEXT_STACK = const NEXT_STACK,
        complete = sym complete::<K>,
    )
}

/// Completes the frame to a [`TrapFrame`], handles it, and continues with whatever it says then.
///
/// Xen aligns the stack to 16 bytes before it pushes its frame, as the thread's is, and a [`TrapFrame`] is a multiple of 16, so
/// the call finds the stack as it must be. RBP is what the interrupted code had: a backtrace goes through.
///
/// # Safety
/// As for [`common`]; the frame is on the stack to go on with.
#[unsafe(naked)]
unsafe extern "C" fn complete<K: Kernel>() {
    naked_asm!(
        arch::save_registers!(),
        "cld",
        "mov rdi, rsp",
        "call {handle}",
        arch::restore_registers!(),
        "jmp {leave}",
        handle = sym handle::<K>,
        leave = sym leave,
    )
}

/// The entry for events. The interrupted code's other registers are preserved by the functions called. Xen's five words and
/// the nine pushed here are 112 bytes, which keeps the stack aligned, and put the code selector at byte 80.
///
/// # Safety
/// Entered by Xen, as the callback of this kind.
#[unsafe(naked)]
unsafe extern "C" fn upcall<K: Kernel>() {
    naked_asm!(
        "pop rcx",
        "pop r11",
        "test byte ptr [rsp + 8], 3",
        "jz 2f",
        "push rcx",
        "mov rcx, rsp",
        "mov rsp, gs:[{NEXT_STACK}]",
        "push [rcx + 40]",
        "push [rcx + 32]",
        "push [rcx + 24]",
        "push [rcx + 16]",
        "push [rcx + 8]",
        "mov rcx, [rcx]",
        "2:",
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push rax",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "cld",
        "movzx edi, word ptr [rsp + 80]",
        "call {upcall}",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rax",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "jmp {leave}",
        NEXT_STACK = const NEXT_STACK,
        upcall = sym event::upcall::<K>,
        leave = sym leave,
    )
}

/// Continues with the frame on the stack, from RIP upwards, all registers being what they shall be: puts the rest of
/// `iret_context` on top (no flags, RCX, R11, RAX) and asks Xen.
///
/// A kernel may also go back to itself by unmasking and `iretq`, for half the price. But an event between the two
/// instructions must then be recognised and undone by the next upcall; and QEMU (seen with 7.2) lets `iretq` in ring 3 fault
/// on a processor with SMAP.
///
/// # Safety
/// Entered by the stubs above, on a frame to continue with.
#[unsafe(naked)]
unsafe extern "C" fn leave() {
    naked_asm!(
        "push 0",
        "push rcx",
        "push r11",
        "push rax",
        arch::count_call!(),
        "mov eax, {iret}",
        "syscall",
        "ud2",
        count = const arch::calls::offset(IRET as usize),
        iret = const IRET,
    )
}

/// Takes Xen's additions out of the frame and gives it to the core.
extern "C" fn handle<K: Kernel>(frame: &mut TrapFrame) {
    frame.cs &= 0xffff;
    K::exception(frame);
}
