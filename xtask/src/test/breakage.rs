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
/// so, with the guest's registers and a walk of the page tables for the address that it could not write, which lies just
/// below the stack pointer. What the guest itself did there first (cr2) may have been a store into a frame above.
fn judge_hypervisor(outcome: &Outcome) -> Verdict {
    let text = format!(
        "{}\n{}",
        outcome.transcript,
        outcome.remark.as_deref().unwrap_or_default()
    );
    let (Some(stack), Some(fault)) = (register(&text, "rsp"), address_behind(&text, "Pagetable walk from ")) else {
        return Verdict::Failed(format!("the hypervisor reports no crashed domain; {}", outcome.ending));
    };
    let distance = stack.wrapping_sub(fault);
    if !(1..=FRAME).contains(&distance) {
        return Verdict::Failed(format!(
            "what Xen could not write, {fault:#x}, is not just below rsp {stack:#x}"
        ));
    }
    let named = text
        .lines()
        .any(|line| line.contains("RIP:") && line.contains("recurse"));
    Verdict::when(named, || {
        "the instruction is not said to be in the function that recurses".into()
    })
}

/// The most that Xen pushes on a guest's stack for one exception, in bytes.
const FRAME: u64 = 128;

/// A register in Xen's dump of a crashed domain, such as `rsp: ffffffff8015de80`.
fn register(text: &str, name: &str) -> Option<u64> {
    let dump = &text[text.find("crashed on cpu")?..];
    address_behind(dump, &format!("{name}: "))
}

/// The sixteen digits behind `words`.
fn address_behind(text: &str, words: &str) -> Option<u64> {
    let (_, value) = text.split_once(words)?;
    u64::from_str_radix(value.get(..16)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qemu::exit::Ending;
    use std::time::Duration;

    #[test]
    fn under_xen_the_hypervisor_reports_a_stack_overflow() {
        let report = "(XEN) Pagetable walk from ffffffff8015de78:\n\
            (XEN) Domain 0 (vcpu#0) crashed on cpu#0:\n\
            (XEN) RIP:    e033:[<ffffffff8010ab40>] recurse (breakage.rs:7)\n\
            (XEN) rbp: ffffffff8015e290   rsp: ffffffff8015de80   r8:  0000000000000000\n\
            (XEN) cr3: 000000001ec00000   cr2: ffffffff8015dfe0\n";
        let judged = |transcript: &str| {
            let (transcript, elapsed) = (transcript.to_owned(), Duration::ZERO);
            let outcome = Outcome {
                ending: Ending::Reset,
                transcript,
                elapsed,
                hypervisor: String::new(),
                kernel: String::new(),
                remark: None,
            };
            Breakage::StackOverflow.judge(Platform::Xen, &outcome)
        };
        assert_eq!(judged(report), Verdict::Passed);
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
