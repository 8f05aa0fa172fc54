//! The stubs: assembly between the processor's way of entering the kernel and the compiler's way of calling a function.
//!
//! There are three ways in, and what tells them apart is how much can be taken for granted about GS, which must be this CPU's area
//! before the core is called. A **system call** always comes from a program, so the stub swaps at once, and finds its stack
//! thereby. A **trap** (exception or interrupt) has the interrupted code's CS in its frame, and swaps if that was a
//! program's. This is right as long as kernel code runs with the kernel's GS, which is true for all instructions
//! but a few around each swap. These are executed with interrupts masked and raise no exception, but three vectors can strike
//! **anywhere**: the non-maskable interrupt, the double fault and the machine check. Their stubs ask for the GS base itself:
//! addresses of the kernel are negative, those of programs are not. This is dearer, and it is what Linux calls a paranoid entry.
//!
//! The emulated processor of a machine beneath Xen delivers some interrupts twice, and the second time it is among those few
//! instructions. It is sent back: see [`refuse_masked_interrupt!`].
//!
//! A program may have set any flag that is not privileged. SYSCALL clears the dangerous ones by a mask; the gates for traps leave
//! two of them as they were, the direction flag and the one that lifts SMAP. So the stubs clear these.

/// Defines the function `trap_stubs`: 256 stubs of [`STUB_SIZE`](super::STUB_SIZE) bytes, and what they have in common.
///
/// The arguments are those of [`entry_with!`](crate::entry_with!).
#[macro_export]
macro_rules! trap_stubs {
    (
        dispatch = $dispatch:path,
        swap_gs = [$($swap_gs:tt)+] { $($swap_gs_operands:tt)* },
        interrupt_return = [$($interrupt_return:tt)+] { $($interrupt_return_operands:tt)* } $(,)?
    ) => {
        /// Completes a [`TrapFrame`](arch::TrapFrame), calls the platform's dispatch, and returns.
        #[unsafe(naked)]
        extern "C" fn trap() {
            ::core::arch::naked_asm!(
                // The vector, the error code, RIP, CS.
                "test byte ptr [rsp + 24], 3",
                "jz 4f",
                $($swap_gs)+,
                "push 2",
                "popfq",
                "3:",
                $crate::trap::stubs::save_registers!(),
                "cld",
                // The frame is the argument; its size keeps the stack aligned as the processor aligned it.
                "mov rdi, rsp",
                "call {dispatch}",
                $crate::trap::stubs::restore_registers!(),
                "5:", $($interrupt_return)+,
                "4:", $crate::trap::stubs::refuse_masked_interrupt!(),
                dispatch = sym $dispatch,
                $($swap_gs_operands)*
                $($interrupt_return_operands)*
            )
        }

        /// The same for the vectors that can strike while kernel code runs with a program's GS; leaves GS as it was found.
        #[unsafe(naked)]
        extern "C" fn trap_anywhere() {
            ::core::arch::naked_asm!(
                $crate::trap::stubs::save_registers!(),
                "push 2",
                "popfq",
                // Swap if the base is a program's; EBX, which functions preserve, remembers.
                "mov ecx, {gs_base}",
                "rdmsr",
                "xor ebx, ebx",
                "test edx, edx",
                "js 3f",
                $($swap_gs)+,
                "inc ebx",
                "3:",
                "mov rdi, rsp",
                "call {dispatch}",
                // To a program, the ordinary return swaps. To the kernel, swap here what was swapped above.
                "test byte ptr [rsp + {code_segment}], 3",
                "jnz 4f",
                "test ebx, ebx",
                "jz 4f",
                $($swap_gs)+,
                $crate::trap::stubs::restore_registers!(),
                "iretq",
                "4:",
                $crate::trap::stubs::restore_registers!(),
                $($interrupt_return)+,
                gs_base = const $crate::trap::stubs::GS_BASE,
                code_segment = const $crate::trap::stubs::CODE_SEGMENT,
                dispatch = sym $dispatch,
                $($swap_gs_operands)*
                $($interrupt_return_operands)*
            )
        }

        /// The 256 stubs, by vector: each pushes an error code, unless the processor did, and its number.
        #[unsafe(naked)]
        extern "C" fn trap_stubs() {
            ::core::arch::naked_asm!(
                ".balign 16",
                ".set .Lvector, 0",
                ".rept 256",
                ".balign 16, 0xcc",
                ".if .Lvector >= 32 || (({with_error_code} >> .Lvector) & 1) == 0",
                "push 0",
                ".endif",
                // push imm32
                ".byte 0x68",
                ".long .Lvector",
                ".if .Lvector < 32 && (({anywhere} >> .Lvector) & 1) == 1",
                "jmp {trap_anywhere}",
                ".else",
                "jmp {trap}",
                ".endif",
                ".set .Lvector, .Lvector + 1",
                ".endr",
                with_error_code = const $crate::trap::stubs::WITH_ERROR_CODE,
                anywhere = const $crate::trap::stubs::ANYWHERE,
                trap = sym trap,
                trap_anywhere = sym trap_anywhere,
            )
        }
    };
}

/// Defines the function `system_call_stub`, where `syscall` leads.
///
/// The arguments are those of [`entry_with!`](crate::entry_with!). It returns by `system_return` if the program's RCX and R11 are to be
/// what that instruction needs them for, as they are after most calls, and by `interrupt_return` otherwise.
#[macro_export]
macro_rules! system_call_stub {
    (
        system_call = $system_call:path,
        system_call_begun = [$($begun:tt)+] { $($begun_operands:tt)* },
        swap_gs = [$($swap_gs:tt)+] { $($swap_gs_operands:tt)* },
        interrupt_return = [$($interrupt_return:tt)+] { $($interrupt_return_operands:tt)* },
        system_return = [$($system_return:tt)+] { $($system_return_operands:tt)* } $(,)?
    ) => {
        /// Builds the [`TrapFrame`](arch::TrapFrame) of a system call, calls the platform's function for it, and returns.
        #[unsafe(naked)]
        extern "C" fn system_call_stub() {
            ::core::arch::naked_asm!(
                $($swap_gs)+,
                "mov gs:[{user_stack}], rsp",
                "mov rsp, gs:[{kernel_stack}]",
                "push {stack_segment}",
                "push qword ptr gs:[{user_stack}]",
                // SYSCALL has put RFLAGS there, and RIP into RCX.
                "push r11",
                "push {code_segment}",
                "push rcx",
                "push 0",
                $($begun)+,
                $crate::trap::stubs::save_registers!(),
                "mov rdi, rsp",
                "call {system_call}",
                $crate::trap::stubs::finish_system_call!(),
                "add rsp, {instruction_pointer}",
                $($system_return)+,
                "3:",
                $crate::trap::stubs::restore_registers!(),
                $($interrupt_return)+,
                instruction_pointer = const $crate::trap::stubs::INSTRUCTION_POINTER,
                user_stack = const $crate::trap::stubs::USER_STACK_OFFSET,
                kernel_stack = const $crate::trap::stubs::KERNEL_STACK_OFFSET,
                stack_segment = const $crate::cpu::USER_STACK,
                code_segment = const $crate::cpu::USER_CODE,
                vector = const $crate::trap::stubs::SYSTEM_CALL,
                system_call = sym $system_call,
                $($begun_operands)*
                $($swap_gs_operands)*
                $($interrupt_return_operands)*
                $($system_return_operands)*
            )
        }
    };
}

#[doc(hidden)]
pub use arch::{
    finish_system_call, percpu::KERNEL_STACK_OFFSET, percpu::USER_STACK_OFFSET, refuse_masked_interrupt,
    restore_registers, save_registers, user::SYSTEM_CALL,
};

/// [`Exception::WITH_ERROR_CODE`](arch::Exception::WITH_ERROR_CODE), for the macro.
pub const WITH_ERROR_CODE: u32 = arch::Exception::WITH_ERROR_CODE;

/// The vectors that can strike while kernel code runs with a program's GS, as a bit mask: non-maskable interrupt, double fault,
/// machine check. Each has a stack of its own ([`stack_of`](crate::cpu::stack_of)).
pub const ANYWHERE: u32 = 1 << 2 | 1 << 8 | 1 << 18;

/// The register that holds the GS base in use (Intel SDM, vol. 4, table 2-2, `IA32_GS_BASE`).
pub const GS_BASE: u32 = 0xc000_0101;

/// Where a [`TrapFrame`](arch::TrapFrame) has CS.
pub const CODE_SEGMENT: usize = core::mem::offset_of!(arch::TrapFrame, cs);

/// Where a [`TrapFrame`](arch::TrapFrame) has RIP, and what `iretq` takes begins.
pub const INSTRUCTION_POINTER: usize = core::mem::offset_of!(arch::TrapFrame, rip);
