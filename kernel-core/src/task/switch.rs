//! The switch itself: one thread's registers for another's.
//!
//! Two of them are exchanged by hand, the stack pointer and, by a return on the new stack, the instruction pointer. All others
//! are declared lost, so that the compiler saves those that are in use where the switch stands, and no others. Nothing
//! here is privileged; what belongs to user mode is exchanged elsewhere.

use arch::VirtAddr;
use core::arch::{asm, naked_asm};

/// Where a thread's registers are, while it does not run: its stack pointer.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub struct Context(u64);

impl Context {
    /// The context of a thread that begins with a call of `begin` on the stack that ends at `top`.
    ///
    /// # Safety
    /// The stack is mapped and nobody's.
    pub unsafe fn new(top: VirtAddr, begin: extern "sysv64" fn() -> !) -> Self {
        /// Where the switch returns to, where that returns to, and where `begin` would: the stack is aligned as after a call.
        const WORDS: usize = 3;
        let pointer = top.as_u64() as usize - WORDS * size_of::<u64>();
        let words: [u64; WORDS] = [first_entry as *const () as u64, begin as *const () as u64, 0];
        // SAFETY: the caller's stack.
        unsafe { core::ptr::with_exposed_provenance_mut::<[u64; WORDS]>(pointer).write(words) };
        Self(pointer as u64)
    }
}

/// Saves the running thread's context in `from` and continues with `to`. Returns when somebody switches back.
///
/// # Safety
/// `to` is a context that was saved or made and not continued since; interrupts are masked; whoever continues knows what to do
/// about the locks the caller holds.
#[inline(always)]
pub unsafe fn switch(from: *mut Context, to: Context) {
    // SAFETY: the caller's promise. RBX and RBP cannot be declared lost, so they are saved here.
    unsafe {
        asm!(
            "push rbp",
            "push rbx",
            "call {exchange_stacks}",
            "pop rbx",
            "pop rbp",
            exchange_stacks = sym exchange_stacks,
            inout("rdi") from => _,
            inout("rsi") to.0 => _,
            lateout("r12") _,
            lateout("r13") _,
            lateout("r14") _,
            lateout("r15") _,
            clobber_abi("sysv64"),
        );
    }
}

/// Stores the stack pointer at RDI, takes the one in RSI, and returns on that stack. Out of line, so that the processor, which
/// remembers calls to predict where they return to, predicts this one as well.
#[unsafe(naked)]
extern "sysv64" fn exchange_stacks() {
    naked_asm!("mov [rdi], rsp", "mov rsp, rsi", "ret")
}

/// Where a new thread comes out of its first switch: RBP 0 ends backtraces, and the next word on the stack says how to go on.
#[unsafe(naked)]
extern "sysv64" fn first_entry() {
    naked_asm!("xor ebp, ebp", "ret")
}
