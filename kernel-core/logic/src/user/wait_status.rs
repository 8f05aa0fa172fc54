//! How a program ended, as its parent reads it.

use super::signal::Signal;
use core::fmt;

/// What `wait4` stores (Linux, `wait(2)`): the signal that killed the program in bits 0 to 6, or the code it ended with in bits 8
/// to 15. A program ends by one or the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitStatus(u16);

impl WaitStatus {
    /// That of a program which ended by itself with `code`: the low eight bits of what it passed to `exit`.
    pub const fn exited(code: u8) -> Self {
        Self((code as u16) << 8)
    }

    /// That of a program which was killed.
    pub const fn killed(signal: Signal) -> Self {
        Self(signal.number() as u16)
    }

    /// The number to be stored.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Whether the program ended by itself with code 0.
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for WaitStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_le_bytes() {
            [0, code] => write!(out, "ended with code {code}"),
            [signal, _] => write!(out, "was killed by {}", Signal::from_number(signal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_can_be_told_apart() {
        let (code, killed) = (WaitStatus::exited(11), WaitStatus::killed(Signal::SIGSEGV));
        assert_eq!((code.bits(), killed.bits()), (0xb00, 11));
        assert_eq!(
            [code, killed].map(|status| status.to_string()),
            ["ended with code 11", "was killed by SIGSEGV"]
        );
        assert_eq!(
            [0, 255].map(|code| WaitStatus::exited(code).is_success()),
            [true, false]
        );
    }
}
