//! Traps and system calls: bare metal's stubs, with sites where GS changes, where they return, and where an interrupt is acknowledged.
//!
//! A ROM with an interrupt flag of its own must be asked about both ends of a handler. The beginning is its own business,
//! since it sits between the processor's gates and the kernel's; only of a system call it hears nothing, until the kernel clears
//! the flag. The end is the `iretq` or `sysretq` of the stubs, which becomes a jump into the ROM.

/// The site of call 33, *IRET*: the text that the stubs of [`entry!`](crate::entry!) return by, with the operands `iret_padding`,
/// `iret_call` and `iret_count`.
#[macro_export]
#[doc(hidden)]
macro_rules! interrupt_return {
    () => {
        concat!(
            $crate::site_count!("iret"),
            $crate::site_begin!("iret"),
            "test byte ptr [rsp + 8], 3
            jz 774f
            swapgs
            774: iretq
            ",
            $crate::site_record!("iret")
        )
    };
}

/// The site of call 34, *SYSRET*: the text that the stub of system calls returns by, with the operands `sysret_padding`,
/// `sysret_call` and `sysret_count`.
#[macro_export]
#[doc(hidden)]
macro_rules! system_return {
    () => {
        concat!(
            $crate::site_count!("sysret"),
            $crate::site_begin!("sysret"),
            "mov rsp, [rsp + 24]
            swapgs
            sysretq
            ",
            $crate::site_record!("sysret")
        )
    };
}

/// The site of call 74, *SwapGS*: the text that entries from user mode begin with, with the operands `swap_gs_padding` and
/// `swap_gs_call`. It is not counted: whose GS there is, is not known.
#[macro_export]
#[doc(hidden)]
macro_rules! swap_gs {
    () => {
        concat!(
            $crate::site_begin!("swap_gs"),
            "swapgs\n",
            $crate::site_record!("swap_gs")
        )
    };
}

/// What the stub of system calls does once it has a stack, the push of the vector, with the operand `vector`, as a detour: the
/// processor's own flag was cleared by SYSCALL, but what a ROM has for a flag is set in user mode and knows nothing of that
/// instruction. So where a ROM has taken call 30 it is reached here, before anyone asks for the flag. Operands are `mask_padding`,
/// `mask_call` and `mask_count`.
#[macro_export]
#[doc(hidden)]
macro_rules! system_call_begun {
    () => {
        concat!(
            "771: push {vector}
            772:
            .pushsection .vmi.detours, \"a\"
            .long 771b - .
            .long system_call_masked - .
            .byte {mask_call}
            .byte 772b - 771b
            .popsection
            .pushsection .text.system_call_masked, \"ax\"
            .type system_call_masked, @function
            system_call_masked:
            push {vector}
            ",
            $crate::site_count!("mask"),
            $crate::site_begin!("mask"),
            "cli
            ",
            $crate::site_record!("mask"),
            "jmp 772b
            .size system_call_masked, . - system_call_masked
            .popsection"
        )
    };
}
