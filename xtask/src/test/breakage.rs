//! Breaking the kernel on purpose: what it must say then.
//!
//! A kernel that fails silently is worse than one that fails. Asked by `break=…` on its command line it runs into one
//! well-known disaster, and the run passes only if the disaster is *reported*: by name, with a backtrace whose addresses
//! belong to functions, and with exit status 1.

use super::case::Verdict;
use super::report;
use crate::platform::Platform;
use crate::qemu::session::Outcome;

/// One way to break the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakage {
    /// `panic!`.
    Panic,
    /// A store to an address that nothing is mapped at.
    WildWrite,
    /// Recursion until the guard page below the stack is hit.
    StackOverflow,
    /// A request that the hypervisor refuses (xen).
    Hypercall,
    /// Two locks taken in either order (debug builds).
    LockOrder,
    /// A thread that sleeps with interrupts masked (debug builds).
    SleepMasked,
}

impl Breakage {
    /// Those that a kernel notices on `platform`, built for release or not.
    pub fn all(platform: Platform, release: bool) -> impl Iterator<Item = Self> {
        let noticed = move |breakage: &Self| match breakage {
            Self::Panic | Self::WildWrite | Self::StackOverflow => true,
            Self::Hypercall => platform == Platform::Xen,
            Self::LockOrder | Self::SleepMasked => !release,
        };
        Self::LIST.into_iter().filter(noticed)
    }

    const LIST: [Self; 6] = [
        Self::Panic,
        Self::WildWrite,
        Self::StackOverflow,
        Self::Hypercall,
        Self::LockOrder,
        Self::SleepMasked,
    ];

    /// The value of the kernel argument `break=`, and the name of the test.
    pub fn name(self) -> &'static str {
        match self {
            Self::Panic => "break=panic",
            Self::WildWrite => "break=wild-write",
            Self::StackOverflow => "break=stack-overflow",
            Self::Hypercall => "break=hypercall",
            Self::LockOrder => "break=lock-order",
            Self::SleepMasked => "break=sleep-masked",
        }
    }

    /// The words of which at least one must be in the report.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Panic => &["panic:"],
            Self::WildWrite => &["exception: page fault"],
            Self::StackOverflow => &["guard page", "stack overflow"],
            Self::Hypercall => &["hypercall"],
            Self::LockOrder => &["lock order: two locks are taken in either order"],
            Self::SleepMasked => &["a thread may not sleep here: interrupts are masked"],
        }
    }

    /// Whether the run reported it.
    pub fn judge(self, platform: Platform, outcome: &Outcome) -> Verdict {
        if self == Self::StackOverflow && platform == Platform::Xen {
            return judge_hypervisor(outcome);
        }
        report::judge_with_backtrace(outcome, self.words())
    }
}

/// Whether the hypervisor reported a stack overflow.
///
/// A paravirtual guest cannot do it itself: Xen has no second stack for a guest's exceptions, and pushes the frame of the
/// page fault where the stack pointer is, that is, into the guard page. When that fails it destroys the domain and says
/// so, with the guest's registers. The guard page is first hit (cr2) by whatever comes first: a push just below the stack
/// pointer, or a store into the frame above it that the function has just made for itself.
fn judge_hypervisor(outcome: &Outcome) -> Verdict {
    let text = format!(
        "{}\n{}",
        outcome.transcript,
        outcome.remark.as_deref().unwrap_or_default()
    );
    let (Some(stack), Some(fault)) = (register(&text, "rsp"), register(&text, "cr2")) else {
        return Verdict::Failed(format!("the hypervisor reports no crashed domain; {}", outcome.ending));
    };
    if stack.abs_diff(fault) >= GUARD {
        return Verdict::Failed(format!(
            "cr2 {fault:#x} is not in the guard page that rsp {stack:#x} is at"
        ));
    }
    // Behind the address; a source line is not always there, since the compiler does not say one for each instruction.
    let names = text.lines().filter(|line| line.contains("RIP:"));
    let mut names = names.filter_map(|line| line.split_once(">]")).map(|(_, name)| name);
    Verdict::when(names.any(|name| !name.trim().is_empty()), || {
        "the instruction has no name".into()
    })
}

/// The guard page below a stack, in bytes: no frame of this kernel is larger.
const GUARD: u64 = 4096;

/// A register in Xen's dump of a crashed domain, such as `rsp: ffffffff8015de80`.
fn register(text: &str, name: &str) -> Option<u64> {
    let dump = &text[text.find("crashed on cpu")?..];
    let (_, value) = dump.split_once(&format!("{name}: "))?;
    u64::from_str_radix(value.get(..16)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qemu::exit::Ending;
    use std::time::Duration;

    #[test]
    fn under_xen_the_hypervisor_reports_a_stack_overflow() {
        let report = "(XEN) Domain 0 (vcpu#0) crashed on cpu#0:\n\
            (XEN) RIP:    e033:[<ffffffff8010ab40>] recurse (breakage.rs:7)\n\
            (XEN) rbp: ffffffff8015e290   rsp: ffffffff8015de80   r8:  0000000000000000\n\
            (XEN) cr3: 000000001ec00000   cr2: ffffffff8015de78\n";
        let judged = |transcript: &str| {
            let (transcript, elapsed) = (transcript.to_owned(), Duration::ZERO);
            let outcome = Outcome {
                ending: Ending::Reset,
                transcript,
                elapsed,
                remark: None,
            };
            Breakage::StackOverflow.judge(Platform::Xen, &outcome)
        };
        assert_eq!(judged(report), Verdict::Passed, "a push");
        assert_eq!(
            judged(&report.replace("8015de78", "8015dfe0")),
            Verdict::Passed,
            "a store into the frame"
        );
        assert_eq!(
            judged(&report.replace(" (breakage.rs:7)", "")),
            Verdict::Passed,
            "no line"
        );
        assert!(
            matches!(judged(&report.replace("8015de78", "80100000")), Verdict::Failed(_)),
            "another fault"
        );
        assert!(
            matches!(
                judged(&report.replace(" recurse (breakage.rs:7)", "")),
                Verdict::Failed(_)
            ),
            "no name"
        );
        assert!(matches!(judged("breaking on purpose"), Verdict::Failed(_)), "silence");
    }

    #[test]
    fn only_xen_has_hypercalls() {
        assert!(Breakage::all(Platform::Xen, true).any(|breakage| breakage == Breakage::Hypercall));
        assert!(Breakage::all(Platform::Vmi, true).all(|breakage| breakage != Breakage::Hypercall));
    }

    #[test]
    fn only_debug_builds_check_locks() {
        let checked =
            |release| Breakage::all(Platform::Native, release).any(|breakage| breakage == Breakage::LockOrder);
        assert!(checked(false) && !checked(true));
    }
}
