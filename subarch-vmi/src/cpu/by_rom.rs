//! What is loaded for user mode, in the ROM's way: the sites behind the detours.

use crate::site::site;
use subarch_native::cpu::task_state;

/// Call 17, for the root at `root`.
///
/// # Safety
/// The tables show the running code, its stack and all that it uses as the current ones do.
pub(super) unsafe extern "sysv64" fn set_root(root: u64) {
    // SAFETY: the caller vouches for the tables.
    unsafe { site!(SetCR3, "mov cr3, rdi", in("rdi") root, clobber_abi("sysv64")) }
}

/// Call 14, for the stack that ends at `stack`.
///
/// # Safety
/// The stack is mapped and nobody else's. Interrupts are masked.
pub(super) unsafe extern "sysv64" fn set_trap_stack(stack: u64) {
    // SAFETY: the task state is this CPU's, which cannot change meanwhile; the caller vouches for the stack.
    unsafe {
        site!(
            UpdateKernelStack, "mov [rdi + 4], rsi",
            in("rdi") task_state(), in("rsi") stack,
            clobber_abi("sysv64"),
        );
    }
}

/// Call 1, for the model-specific register number `register` and the halves of its value.
///
/// # Safety
/// The processor has it, and whatever it changes keeps everybody's promises.
pub(super) unsafe extern "sysv64" fn set_register(register: u32, low: u32, high: u32) {
    // SAFETY: the caller vouches for the register.
    unsafe { site!(Wrmsr, "wrmsr", in("ecx") register, in("eax") low, in("edx") high, clobber_abi("sysv64")) }
}
