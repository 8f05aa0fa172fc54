//! What ends a program that did not end by itself.
//!
//! The processor has 32 exceptions, a program knows a handful of signals. Which exception is which signal decides what the
//! parent of a killed program reads, so it is as in Linux (`arch/x86/kernel/traps.c`).

use super::numbered::numbered;
use arch::Exception;

/// A signal as Linux numbers it on x86-64 (`uapi/asm/signal.h`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal(u8);

numbered!(Signal, "signal" {
    /// An instruction that does not exist.
    SIGILL = 4,
    /// A debugger's trap.
    SIGTRAP = 5,
    /// Memory that does not answer, or not at this alignment.
    SIGBUS = 7,
    /// Arithmetic without a result.
    SIGFPE = 8,
    /// The end, by order.
    SIGKILL = 9,
    /// Memory that is not the program's.
    SIGSEGV = 11,
});

impl Signal {
    /// The signal that a program gets for `exception`.
    pub const fn of(exception: Exception) -> Self {
        match exception.0 {
            // #DE, coprocessor segment overrun, #MF, #XM.
            0 | 9 | 16 | 19 => Self::SIGFPE,
            // #DB, #BP.
            1 | 3 => Self::SIGTRAP,
            // #UD.
            6 => Self::SIGILL,
            // #NP, #SS, #AC, #MC.
            11 | 12 | 17 | 18 => Self::SIGBUS,
            // #GP, #PF, and whatever else a program has no right to cause.
            _ => Self::SIGSEGV,
        }
    }

    /// The signal with this number.
    pub const fn from_number(number: u8) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_become_the_signals_of_linux() {
        let exceptions = [
            Exception::DEBUG,
            Exception::INVALID_OPCODE,
            Exception::GENERAL_PROTECTION,
            Exception::PAGE_FAULT,
        ];
        let signals = [Signal::SIGTRAP, Signal::SIGILL, Signal::SIGSEGV, Signal::SIGSEGV];
        assert_eq!(exceptions.map(Signal::of), signals);
        assert_eq!(
            [0, 12, 16, 31].map(|vector| Signal::of(Exception(vector)).to_string()),
            ["SIGFPE", "SIGBUS", "SIGFPE", "SIGSEGV"]
        );
    }
}
