//! The end of a thread of a program, and of the process with its last.

use super::thread::{UserThread, current};
use super::{End, Process, loaded};
use crate::platform::Platform;
use crate::task;
use arch::IrqOps;
use core::sync::atomic::Ordering::Relaxed;

/// Ends the current thread. The process goes on unless this was its last; then it exits with `status`, unless that was decided
/// otherwise before.
///
/// Called on the thread's kernel stack, which is left for good: whoever calls it owns nothing on it any more.
pub(super) fn end_thread(status: u8) -> ! {
    let thread = current();
    Platform::enable();
    release_waiter(thread);
    thread.leave_user_mode();
    let process = thread.process();
    if process.remove_current_thread() {
        end_process(process, status);
    }
    task::end()
}

/// Tells whoever waits for the thread by the word it named.
fn release_waiter(thread: &UserThread) {
    let address = thread.clear_at_end.load(Relaxed);
    let process = thread.process();
    // A process that is ending has nobody left to wait, and a word that is no memory any more nobody can wait for.
    if address != 0 && !process.is_ending() && process.space().write(address, &0u32.to_ne_bytes()).is_ok() {
        process.futexes.wake(address, 1);
    }
}

/// Gives the memory back and tells the others.
fn end_process(process: &Process, status: u8) {
    process.end(End::Exited(status));
    loaded::unload_everywhere(process);
    process.family.abandon_children();
    // SAFETY: this was the last thread, it has just been taken out of user mode, and no CPU has the address space loaded: none
    // loads it again, because no thread is left that it would be loaded for.
    unsafe { process.space().destroy() };
    process.announce_end();
}
