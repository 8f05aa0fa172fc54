//! Exceptions: those that were expected, and the ends of kernels that met another.

mod dump;
mod page_fault;
pub mod probe;
pub mod provoke;
mod stack;

pub use dump::print_backtrace_from_here;
pub use page_fault::PageFault;
pub use stack::remember as remember_stack;

use crate::panic;
use crate::platform::Platform;
use crate::user;
use arch::{CpuOps, Exception, Mode, TrapFrame, VirtAddr};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static BREAKPOINTS: AtomicU64 = AtomicU64::new(0);

/// How many breakpoints were passed.
pub fn breakpoints() -> u64 {
    BREAKPOINTS.load(Relaxed)
}

/// Handles an exception: returns if the interrupted code can continue, ends the kernel with a report if it cannot.
#[inline(always)]
pub fn handle(frame: &mut TrapFrame) {
    // Read first of all: another fault would replace it.
    let address = Platform::page_fault_address();
    match frame.exception() {
        exception if frame.mode() == Mode::User && !exception.is_of_machine() => user::exception(frame, address),
        Exception::BREAKPOINT => pass_breakpoint(frame),
        _ if probe::recover(frame, address) => {}
        _ => end(frame, address),
    }
}

fn pass_breakpoint(frame: &TrapFrame) {
    BREAKPOINTS.fetch_add(1, Relaxed);
    log::debug!("breakpoint before {:#x}", frame.rip);
}

fn end(frame: &TrapFrame, address: VirtAddr) -> ! {
    panic::die(|| dump::print(frame, address))
}
