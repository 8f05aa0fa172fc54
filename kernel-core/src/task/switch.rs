//! The switch itself: one thread's registers for another's.
//!
//! A switch is a function call to both threads, so only what a function must preserve is saved, on the stack of the thread that
//! is left. Nothing here is privileged; page tables and kernel stacks of user mode are exchanged elsewhere.

use arch::VirtAddr;
use core::arch::naked_asm;

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
        /// The registers that are popped, and the address that is returned to.
        const WORDS: u64 = 7;
        // One word more, so that the stack is aligned as after a call.
        let pointer = top.as_u64() - 8 * (WORDS + 1);
        // SAFETY: the caller's stack. RBP 0 ends backtraces.
        unsafe {
            let words: *mut u64 = core::ptr::with_exposed_provenance_mut(pointer as usize);
            words.write_bytes(0, WORDS as usize + 1);
            words.add(WORDS as usize - 1).write(begin as usize as u64);
        }
        Self(pointer)
    }
}

/// Saves the running thread's context in `from` and continues with `to`. Returns when somebody switches back.
///
/// # Safety
/// `to` is a context that was saved or made and not continued since; interrupts are masked; whoever continues knows what to do
/// about the locks the caller holds.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn switch(from: *mut Context, to: Context) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}
