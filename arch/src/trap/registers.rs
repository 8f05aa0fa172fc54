//! Filling a [`TrapFrame`](super::TrapFrame) and emptying it, as assembly text for the stubs of platforms.
//!
//! The frame's layout is fixed here, so the instructions that follow from it are written here, once: each platform's stubs differ in
//! what comes before and after.

/// Pushes the registers that [`TrapFrame`](crate::TrapFrame) begins with.
#[macro_export]
macro_rules! save_registers {
    () => {
        "push rdi
        push rsi
        push rdx
        push rcx
        push rax
        push r8
        push r9
        push r10
        push r11
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15"
    };
}

/// Takes back what [`save_registers!`](crate::save_registers!) pushed, and drops the vector and the error code. RSP then points to what
/// `iretq` takes.
#[macro_export]
macro_rules! restore_registers {
    () => {
        "pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        pop r11
        pop r10
        pop r9
        pop r8
        pop rax
        pop rcx
        pop rdx
        pop rsi
        pop rdi
        add rsp, 16"
    };
}

/// Whether a trap out of the kernel can be, as assembly text for the stubs of platforms on gates. RSP points to the vector, the error code, RIP,
/// CS and RFLAGS.
///
/// Jumps back to local label 3 if so. No interrupt comes from where interrupts are masked on a processor. QEMU 7.2, when it emulates SVM,
/// delivers one that the hypervisor injects a second time if something calls the emulated processor away in that moment: at the first instruction
/// of its handler, where GS may be a program's yet. It is the same one, and nothing is lost by going back without a word: RSP then points to what
/// `iretq` takes, and the text jumps back to local label 5.
#[macro_export]
macro_rules! refuse_masked_interrupt {
    () => {
        "test byte ptr [rsp + 33], 2
        jnz 3b
        cmp byte ptr [rsp], 32
        jb 3b
        add rsp, 16
        jmp 5b"
    };
}

/// The end of a system call that changed no register but RAX, as assembly text for the stubs of platforms.
///
/// With RSP at the frame, jumps to local label 3 if more was changed: if RCX and RIP, or R11 and RFLAGS, are not equal in the frame
/// any more. Otherwise loads the registers that a function may have changed; those it preserves are still the program's.
/// RSP stays.
#[macro_export]
macro_rules! finish_system_call {
    () => {
        "mov rcx, [rsp + 88]
        cmp rcx, [rsp + 136]
        jne 3f
        mov r11, [rsp + 48]
        cmp r11, [rsp + 152]
        jne 3f
        mov r10, [rsp + 56]
        mov r9, [rsp + 64]
        mov r8, [rsp + 72]
        mov rax, [rsp + 80]
        mov rdx, [rsp + 96]
        mov rsi, [rsp + 104]
        mov rdi, [rsp + 112]"
    };
}

// The places in the text above.
const _: () = {
    use super::TrapFrame;
    use core::mem::offset_of;
    assert!(offset_of!(TrapFrame, r11) == 48 && offset_of!(TrapFrame, r10) == 56 && offset_of!(TrapFrame, r9) == 64);
    assert!(offset_of!(TrapFrame, r8) == 72 && offset_of!(TrapFrame, rax) == 80 && offset_of!(TrapFrame, rcx) == 88);
    assert!(offset_of!(TrapFrame, rdx) == 96 && offset_of!(TrapFrame, rsi) == 104 && offset_of!(TrapFrame, rdi) == 112);
    assert!(offset_of!(TrapFrame, rip) == 136 && offset_of!(TrapFrame, rflags) == 152);
    assert!(offset_of!(TrapFrame, rflags) - offset_of!(TrapFrame, vector) == 32);
};
