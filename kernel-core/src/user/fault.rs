//! Exceptions of programs: a page that is due, or the end.

use super::address_space::{Attempt, Unresolved};
use super::thread::{UserThread, current};
use super::{End, before_user_mode};
use crate::fault::PageFault;
use crate::platform::Platform;
use arch::{Exception, IrqOps, TrapFrame, VirtAddr};
use core::fmt;
use kernel_logic::user::signal::Signal;

/// Handles an exception of user mode; `address` is that of a page fault. Called and returning with interrupts masked.
#[inline(always)]
pub fn exception(frame: &TrapFrame, address: VirtAddr) {
    Platform::enable();
    let thread = current();
    match cause(thread, frame, address) {
        None => {}
        Some(cause) => kill(thread, frame, &cause),
    }
    Platform::disable();
    before_user_mode(thread);
}

/// Why a program cannot go on.
enum Cause {
    /// An exception that is none of the kernel's business.
    Exception(Exception),
    /// An access that cannot be granted.
    Access(PageFault, VirtAddr, Unresolved),
}

/// What is wrong; `None` if nothing is any more.
fn cause(thread: &UserThread, frame: &TrapFrame, address: VirtAddr) -> Option<Cause> {
    if frame.exception() != Exception::PAGE_FAULT {
        return Some(Cause::Exception(frame.exception()));
    }
    let fault = PageFault(frame.error_code);
    if !fault.is_user() {
        // What the processor itself is not allowed for the program, no page of the program's helps against.
        return Some(Cause::Access(fault, address, Unresolved::NotAllowed));
    }
    let attempt = match fault {
        _ if fault.is_fetch() => Attempt::Execute,
        _ if fault.is_write() => Attempt::Write,
        _ => Attempt::Read,
    };
    let outcome = thread.process().space().resolve(address.as_u64(), attempt);
    outcome.err().map(|reason| Cause::Access(fault, address, reason))
}

/// Ends the process, with a report. Returns to let the thread end on its way back.
fn kill(thread: &UserThread, frame: &TrapFrame, cause: &Cause) {
    let signal = match cause {
        Cause::Exception(exception) => Signal::of(*exception),
        Cause::Access(_, _, Unresolved::NotAllowed) => Signal::SIGSEGV,
        Cause::Access(_, _, Unresolved::OutOfMemory) => Signal::SIGKILL,
    };
    log::warn!(
        "{:?} killed by {signal}: {cause}, at {:#x}",
        thread.process(),
        frame.rip
    );
    log::info!("{}", Registers(frame));
    thread.process().end(End::Killed(signal));
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exception(exception) => exception.fmt(out),
            Self::Access(fault, address, reason) => write!(out, "{fault} at {address:#x}: {reason}"),
        }
    }
}

/// A program's registers, in four lines.
struct Registers<'a>(&'a TrapFrame);

impl fmt::Display for Registers<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = self.0;
        writeln!(out, "rax {:x} rbx {:x} rcx {:x} rdx {:x}", f.rax, f.rbx, f.rcx, f.rdx)?;
        writeln!(out, "  rsi {:x} rdi {:x} rbp {:x} rsp {:x}", f.rsi, f.rdi, f.rbp, f.rsp)?;
        writeln!(out, "  r8 {:x} r9 {:x} r10 {:x} r11 {:x}", f.r8, f.r9, f.r10, f.r11)?;
        write!(
            out,
            "  r12 {:x} r13 {:x} r14 {:x} r15 {:x} rflags {:x}",
            f.r12, f.r13, f.r14, f.r15, f.rflags
        )
    }
}
