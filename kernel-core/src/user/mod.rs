//! Programs: isolated from the kernel and from each other, and the part of Linux they may rely on.
//!
//! A program sees Linux: its numbers of system calls, its registers, its error numbers. What it cannot see is which platform it
//! runs on. And the kernel, in turn, sees a program only at arm's length. It never follows a program's pointer: memory of programs
//! is reached by walking their page tables and through the direct map, so that a hostile pointer is a failed walk and not a
//! fault in the kernel, and the processor's protection against touching user pages (SMAP) is never lifted.
//!
//! A [`Process`] owns an [`AddressSpace`] and threads. Each thread is a thread of the kernel, with a kernel stack, that happens to spend
//! most of its time in user mode; when and where it runs is decided like for any other. [`start`] makes the first thread of a
//! new process; all further ones come from system calls.

pub mod address_space;
mod call;
mod end;
mod extended_state;
mod family;
mod fault;
mod futex;
mod loaded;
mod process;
mod program;
mod thread;

pub use address_space::AddressSpace;
pub use call::system_call;
pub use fault::exception;
pub use loaded::{exchange, switch};
pub use process::{End, Process, ProcessId};
pub use program::{StartError, start};
pub use thread::UserThread;

use crate::platform::Platform;
use crate::sync::check;
use arch::trap::TRAP_FRAME_SIZE;
use arch::{CpuOps, TrapFrame};

/// Ends the current thread if its process is ending. Called with interrupts masked, on the way back to user mode.
#[inline(always)]
fn before_user_mode(thread: &UserThread) {
    check::nothing_held();
    if thread.process().is_ending() {
        end::end_thread(0);
    }
}

/// After interrupts of user mode have been handled: ends the current thread if its process is ending. Called with interrupts masked.
pub fn interrupts_done() {
    before_user_mode(thread::current());
}

/// What a thread of a program does first, with interrupts masked: goes to user mode with the registers at the end of its stack.
pub fn enter() -> ! {
    let thread = thread::current();
    before_user_mode(thread);
    let end = thread.context().kernel_stack;
    let frame: *const TrapFrame = (end - TRAP_FRAME_SIZE as u64).as_ptr();
    // SAFETY: the scheduler has loaded the thread's context when it switched here. Whoever made the thread put its frame there: the
    // selectors are the platform's, and the rest are registers that a program may have.
    unsafe { Platform::enter_user(&*frame) }
}
