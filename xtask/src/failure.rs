//! Why a verb ended without a verdict of the kernel, as an exit status a script can act on.
//!
//! `cargo xtask run` hands through the kernel's own status, 0 to 63. Everything the host side can say must therefore
//! lie above: a script that sees 66 knows that the kernel never spoke, and does not mistake it for a failed test.
//! Errors travel as [`anyhow::Error`]; one that carries a [`Failure`] somewhere in its chain picks the status.

use anyhow::Error;
use std::fmt;

/// The kinds of ending that are the host's and not the kernel's, with the exit status of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Failure {
    /// The command line asks for what does not exist or does not go together.
    Usage = 64,
    /// The kernel, a ROM or a disk image could not be built, or the image lacks what its platform requires.
    Build = 65,
    /// The machine ended without a word of the kernel: reset, or an error of QEMU itself.
    NoVerdict = 66,
    /// The time limit passed.
    TimedOut = 67,
    /// Something a run needs is neither here nor to be fetched; the message says what to install.
    Missing = 69,
    /// Anything else on the host: a file that cannot be written, a program that does not start.
    Host = 70,
}

impl Failure {
    /// An error of this kind that says `message`.
    pub fn error(self, message: impl fmt::Display) -> Error {
        Error::new(self).context(message.to_string())
    }

    /// The kind that `error` carries, [`Failure::Host`] if none.
    pub fn of(error: &Error) -> Self {
        error.downcast_ref::<Self>().copied().unwrap_or(Self::Host)
    }

    /// The exit status.
    pub fn status(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usage => "usage",
            Self::Build => "build failed",
            Self::NoVerdict => "no verdict of the kernel",
            Self::TimedOut => "timed out",
            Self::Missing => "something is missing",
            Self::Host => "the host failed",
        })
    }
}

impl std::error::Error for Failure {}

/// The whole story of `error` in one line: every context, without the [`Failure`] that only picks the status.
pub fn explain(error: &Error) -> String {
    let parts: Vec<String> = error
        .chain()
        .filter(|cause| cause.downcast_ref::<Failure>().is_none())
        .map(ToString::to_string)
        .collect();
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn kind_survives_further_context() {
        let error = Err::<(), _>(Failure::Missing.error("no QEMU"))
            .context("starting the kernel")
            .unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Missing);
        assert_eq!(explain(&error), "starting the kernel: no QEMU");
    }

    #[test]
    fn an_error_without_a_kind_is_the_hosts() {
        assert_eq!(Failure::of(&anyhow::anyhow!("disk full")).status(), 70);
    }
}
