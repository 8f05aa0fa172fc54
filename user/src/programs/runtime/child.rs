//! Child processes: made, waited for, and how they ended.

use super::check::require;
use super::errno::Errno;
use super::syscall::{self, number};
use user_programs::{End, Signal};

/// wait4 returns at once if no child has ended.
pub const WNOHANG: usize = 1;

/// Runs `body` in a child process, which exits with the status that it returns; returns the child's number.
pub fn start(body: impl FnOnce() -> u8) -> usize {
    match syscall::fork().expect("a process can be made") {
        0 => syscall::exit_group(body()),
        child => child,
    }
}

/// Waits for `child` (any, if it is -1); returns its number and how it ended, or 0 if `options` say not to wait and none has.
pub fn wait(child: usize, options: usize) -> Result<(usize, End), Errno> {
    let mut status = 0_u32;
    let arguments = [child, (&raw mut status) as usize, options, 0, 0, 0];
    // SAFETY: the call writes four bytes, which are `status`.
    let child = unsafe { syscall::raw(number::WAIT4, arguments) }?;
    Ok((child, end(status)))
}

/// Waits for `child`; the check `check` is that it ended in the way `expected`.
pub fn expect(check: u8, child: usize, expected: End) {
    let (waited, found) = wait(child, 0).expect("there is a child");
    require(check, waited == child, "wait4 returned another child");
    super::check::require_equal(check, found, expected, "how a child ended");
}

/// Runs `body` in a child that must end as `expected`; that is the check `check`.
pub fn must_end(check: u8, expected: End, body: impl FnOnce() -> u8) {
    let child = start(body);
    expect(check, child, expected);
}

/// What a wait status says (wait(2)): the exit status in the second byte, or a signal in the lower seven bits.
fn end(status: u32) -> End {
    match status & 0x7f {
        0 => End::Exit((status >> 8) as u8),
        signal => End::Killed(Signal::from_number(signal as u8).expect("a signal that kills")),
    }
}
