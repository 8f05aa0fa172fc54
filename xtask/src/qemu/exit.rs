//! What the end of a QEMU process says about the kernel in it.
//!
//! QEMU's exit code alone is a poor witness: 0 may be an orderly power-off, a triple fault (a reset, which `-no-reboot`
//! turns into an exit) or a user who typed Ctrl-A X. So two sources are put together: the exit code, through which the
//! kernel's own status comes by the `isa-debug-exit` device, and the reason in the `SHUTDOWN` event of QEMU's machine
//! protocol.

use crate::failure::Failure;
use anyhow::Result;
use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

/// Set in every byte the kernel writes to the exit device, so that its statuses cannot be taken for QEMU's own codes.
const VERDICT: u8 = 0x40;

/// What the kernel prints before it resets the machine on purpose.
const REBOOT: &str = "anyring: reboot";

/// How a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The kernel ended it with this status, 0 to 63.
    Exit(u8),
    /// The kernel switched the machine off.
    PowerOff,
    /// The kernel said that it starts the machine anew, and did; the run ends there.
    Reboot,
    /// The machine was reset, and the kernel did not say so: a triple fault, or a panic of the hypervisor.
    Reset,
    /// Somebody outside ended it: Ctrl-A X, or a signal.
    Left,
    /// QEMU failed; what is known about it.
    Failed(String),
    /// It was still running after this time, and was killed.
    TimedOut(Duration),
}

impl Ending {
    /// Puts QEMU's exit status and the reason of its shutdown event together.
    pub fn of(status: ExitStatus, reason: Option<&str>) -> Self {
        match (status.code(), reason) {
            (Some(0), Some("guest-shutdown")) => Self::PowerOff,
            (Some(0), Some("guest-reset" | "guest-panic" | "subsystem-reset")) => Self::Reset,
            (Some(0), _) => Self::Left,
            (Some(code), _) => {
                verdict(code).map_or_else(|| Self::Failed(format!("QEMU ended with {code}")), Self::Exit)
            }
            (None, _) => Self::Failed(format!("QEMU was ended by a signal ({status})")),
        }
    }

    /// The same, for a machine that printed `transcript`: a reset that the kernel announced is its wish.
    pub fn with_transcript(self, transcript: &str) -> Self {
        match self {
            Self::Reset if transcript.lines().any(|line| line.trim() == REBOOT) => Self::Reboot,
            other => other,
        }
    }

    /// The exit status to hand on.
    ///
    /// # Errors
    /// The kernel gave no verdict; the error says how the machine ended instead.
    pub fn status(&self) -> Result<u8> {
        match self {
            Self::Exit(status) => Ok(*status),
            Self::PowerOff | Self::Reboot | Self::Left => Ok(0),
            Self::Reset | Self::Failed(_) => Err(Failure::NoVerdict.error(self)),
            Self::TimedOut(_) => Err(Failure::TimedOut.error(self)),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit status {status}"),
            Self::PowerOff => f.write_str("power-off"),
            Self::Reboot => f.write_str("reboot"),
            Self::Reset => f.write_str("the machine was reset: a triple fault, or a dead hypervisor"),
            Self::Left => f.write_str("ended from outside"),
            Self::Failed(why) => f.write_str(why),
            Self::TimedOut(limit) => write!(f, "still running after {} s: killed", limit.as_secs()),
        }
    }
}

/// The kernel's status in QEMU's exit code, which the exit device makes from the byte written: twice the byte plus one.
fn verdict(code: i32) -> Option<u8> {
    let byte = u8::try_from(code).ok().filter(|code| code % 2 == 1)? / 2;
    (byte & !0x3f == VERDICT).then_some(byte & 0x3f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn ended(code: i32, reason: Option<&str>) -> Ending {
        Ending::of(ExitStatus::from_raw(code << 8), reason)
    }

    #[test]
    fn every_status_of_the_kernel_comes_through() {
        for status in 0..64 {
            assert_eq!(ended(0x81 + 2 * status, None), Ending::Exit(status as u8));
        }
    }

    #[test]
    fn no_other_code_is_a_verdict() {
        for code in (1..0x81).chain((0x82..=0xff).step_by(2)) {
            assert!(matches!(ended(code, None), Ending::Failed(_)), "{code}");
        }
    }

    #[test]
    fn zero_needs_the_reason() {
        assert_eq!(ended(0, Some("guest-shutdown")).status().unwrap(), 0);
        assert_eq!(ended(0, None), Ending::Left);
        let error = ended(0, Some("guest-reset")).status().unwrap_err();
        assert_eq!(Failure::of(&error), Failure::NoVerdict);
    }

    #[test]
    fn a_reset_is_a_reboot_if_the_kernel_said_so() {
        let reset = || ended(0, Some("guest-reset"));
        let announced = reset().with_transcript("anyring> reboot\r\nanyring: reboot\r\n(XEN) rebooting machine\r\n");
        assert_eq!((&announced, announced.status().unwrap()), (&Ending::Reboot, 0));
        assert_eq!(reset().with_transcript("anyring> reboot\n"), Ending::Reset);
        assert_eq!(Ending::Exit(3).with_transcript("anyring: reboot\n"), Ending::Exit(3));
    }

    #[test]
    fn a_signal_is_no_verdict() {
        assert!(matches!(Ending::of(ExitStatus::from_raw(11), None), Ending::Failed(_)));
    }
}
