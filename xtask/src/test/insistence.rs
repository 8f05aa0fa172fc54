//! Insisting on a platform: what an image of several must do about it.
//!
//! Where it was entered tells such an image which platform it is on, and `platform=…` on the command line cannot change that. It can only
//! keep the kernel from running where it is not wanted: what it cannot be, it must refuse to go on as, by name. The exception is `vmi`,
//! which without a ROM is native. Asked to be native it must leave the ROM alone.

use super::case::Verdict;
use super::report;
use crate::platform::Platform;
use crate::qemu::exit::Ending;
use crate::qemu::session::Outcome;

/// What is asked of a kernel on one platform: to be another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insistence {
    /// A bare machine is to be Xen.
    NativeAsXen,
    /// Xen is to be a bare machine.
    XenAsNative,
    /// A machine with a ROM is to be one without.
    VmiAsNative,
}

impl Insistence {
    /// What is asked on `platform`.
    pub fn on(platform: Platform) -> Self {
        match platform {
            Platform::Native => Self::NativeAsXen,
            Platform::Xen => Self::XenAsNative,
            Platform::Vmi => Self::VmiAsNative,
        }
    }

    /// The kernel argument, and the name of the test.
    pub fn name(self) -> &'static str {
        match self {
            Self::NativeAsXen => "platform=xen",
            Self::XenAsNative | Self::VmiAsNative => "platform=native",
        }
    }

    /// Whether the kernel refused, or did as it was asked.
    pub fn judge(self, outcome: &Outcome) -> Verdict {
        match self {
            Self::NativeAsXen => report::judge_with_backtrace(outcome, &BARE_MACHINE),
            Self::XenAsNative => report::judge_with_backtrace(outcome, &XEN),
            Self::VmiAsNative => judge_without_rom(outcome),
        }
    }
}

/// What a bare machine says for itself, with vmi compiled in and without.
const BARE_MACHINE: [&str; 2] = [
    "panic: `platform=xen`: this is no ROM, virtual PC",
    "panic: `platform=xen`: this is virtual PC",
];
/// And what Xen's guest says.
const XEN: [&str; 1] = ["panic: `platform=native`: this is Xen"];

/// What the log says, and the boot report, if no ROM was looked for though there is one.
const WITHOUT_ROM: [&str; 2] = [
    "vmi: no ROM is looked for, as the command line asks for `native`",
    ": no ROM, ",
];

/// Whether the kernel let the ROM alone and came to its end.
fn judge_without_rom(outcome: &Outcome) -> Verdict {
    let missing = WITHOUT_ROM.iter().find(|phrase| !outcome.transcript.contains(**phrase));
    if let Some(phrase) = missing {
        return Verdict::Failed(format!("\"{phrase}\" is nowhere in the output"));
    }
    Verdict::when(outcome.ending == Ending::Exit(0), || {
        format!("exit status 0 expected, {} seen", outcome.ending)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LEFT_ALONE: &str = "INFO  vmi: no ROM is looked for, as the command line asks for `native`\n\
        Anyring 0.1.0 on paravirt: no ROM, virtual PC, entered by PVH\n";

    fn judged(asked: Insistence, ending: Ending, transcript: &str) -> Verdict {
        asked.judge(&Outcome {
            ending,
            transcript: transcript.into(),
            elapsed: Duration::ZERO,
            hypervisor: String::new(),
            kernel: String::new(),
            remark: None,
        })
    }

    #[test]
    fn a_kernel_that_goes_on_as_what_it_is_has_failed() {
        let report = "PANIC: `platform=native`: this is Xen 4.17 PV dom0, entered by Xen, and cannot be that\n\
            backtrace:\n  #0 0xffffffff80101234 run (start.rs:1)\n";
        let asked = Insistence::XenAsNative;
        assert_eq!(judged(asked, Ending::Exit(1), report), Verdict::Passed);
        assert!(matches!(judged(asked, Ending::Exit(0), LEFT_ALONE), Verdict::Failed(_)));
    }

    #[test]
    fn a_rom_that_is_left_alone_is_named_twice() {
        let asked = Insistence::VmiAsNative;
        assert_eq!(judged(asked, Ending::Exit(0), LEFT_ALONE), Verdict::Passed);
        for other in ["no ROM is looked for", ": no ROM, "] {
            let transcript = LEFT_ALONE.replace(other, "");
            assert!(
                matches!(judged(asked, Ending::Exit(0), &transcript), Verdict::Failed(_)),
                "{other}"
            );
        }
        assert!(matches!(judged(asked, Ending::Exit(1), LEFT_ALONE), Verdict::Failed(_)));
    }
}
