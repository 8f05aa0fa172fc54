//! Every program run that has one right end, and which end that is.
//!
//! Two lists. What is [`ORDINARY`] must find its checks fulfilled and exit with status 0. What is [`HOSTILE`] tries something that no
//! program may do: it must be killed by the signal that Linux would send, or, where the processor decides (some hide more from
//! programs than others), end in one of a few named ways.

mod hostile;
mod ordinary;

pub use hostile::HOSTILE;
pub use ordinary::ORDINARY;

use core::fmt;

/// One run of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Its arguments; the first names the program.
    pub arguments: &'static [&'static str],
    /// The ends that are right.
    pub ends: &'static [End],
    /// Whether Linux lets it end in the same way.
    pub on_linux: OnLinux,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It exited with this status.
    Exit(u8),
    /// It was killed by this signal.
    Killed(Signal),
}

/// Why a process was killed; the values are the numbers of Linux's signals (signal(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Signal {
    /// An instruction that the processor does not have, or not in user mode: SIGILL.
    Illegal = 4,
    /// A breakpoint or a single step: SIGTRAP.
    Trap = 5,
    /// A stack or an alignment that the processor refuses: SIGBUS.
    Bus = 7,
    /// A division that has no result: SIGFPE.
    Arithmetic = 8,
    /// Somebody wished it: SIGKILL.
    Kill = 9,
    /// Memory or a privilege that is not the program's: SIGSEGV.
    Segmentation = 11,
}

/// What Linux has to say of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLinux {
    /// The case ends as it should there, too.
    Same,
    /// It may end otherwise there, for this reason.
    Differs(&'static str),
}

impl Case {
    /// A run that must exit with status 0.
    const fn exits(arguments: &'static [&'static str]) -> Self {
        Self::ends(arguments, &[End::Exit(0)])
    }

    /// A run that must be killed for touching what is not its own.
    const fn segmentation(arguments: &'static [&'static str]) -> Self {
        Self::ends(arguments, &[End::Killed(Signal::Segmentation)])
    }

    /// A run that must be killed for an instruction that does not exist for it.
    const fn illegal(arguments: &'static [&'static str]) -> Self {
        Self::ends(arguments, &[End::Killed(Signal::Illegal)])
    }

    /// A run that must be killed by a trap.
    const fn trap(arguments: &'static [&'static str]) -> Self {
        Self::ends(arguments, &[End::Killed(Signal::Trap)])
    }

    /// A run with the right ends `ends`.
    const fn ends(arguments: &'static [&'static str], ends: &'static [End]) -> Self {
        Self {
            arguments,
            ends,
            on_linux: OnLinux::Same,
        }
    }

    /// The same, but Linux differs because of `reason`.
    const fn unlike_linux(self, reason: &'static str) -> Self {
        Self {
            on_linux: OnLinux::Differs(reason),
            ..self
        }
    }

    /// Whether `end` is right.
    pub fn allows(&self, end: End) -> bool {
        self.ends.contains(&end)
    }
}

/// All cases, the ordinary ones first.
pub fn all() -> impl Iterator<Item = &'static Case> {
    ORDINARY.iter().chain(HOSTILE)
}

impl fmt::Display for Case {
    /// The arguments as one would type them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.arguments.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{argument}")?;
        }
        Ok(())
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit status {status}"),
            Self::Killed(signal) => write!(f, "killed by {}", signal.name()),
        }
    }
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Illegal,
        Self::Trap,
        Self::Bus,
        Self::Arithmetic,
        Self::Kill,
        Self::Segmentation,
    ];

    /// The signal with Linux's number `number`, if it is one of those that end a program here.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| *signal as u8 == number)
    }

    /// Linux's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Illegal => "SIGILL",
            Self::Trap => "SIGTRAP",
            Self::Bus => "SIGBUS",
            Self::Arithmetic => "SIGFPE",
            Self::Kill => "SIGKILL",
            Self::Segmentation => "SIGSEGV",
        }
    }
}

#[cfg(test)]
mod tests;
