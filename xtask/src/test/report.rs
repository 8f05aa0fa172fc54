//! The report of a kernel that cannot go on, and what makes it one.
//!
//! It says what has happened, and the machine ends with status 1. From the moment at which the core knows its stack, it also has a
//! backtrace, whose addresses belong to functions.

use super::case::Verdict;
use crate::qemu::exit::Ending;
use crate::qemu::session::Outcome;

/// Whether the run ended in a report that says at least one of `words`; capital letters are as good as small ones.
pub fn judge(outcome: &Outcome, words: &[&str]) -> Verdict {
    let Some(report) = report(outcome) else {
        return Verdict::Failed(format!("no report at all; {}", outcome.ending));
    };
    let lower = report.to_lowercase();
    if !words.iter().any(|word| lower.contains(&word.to_lowercase())) {
        return Verdict::Failed(format!("the report says none of {words:?}"));
    }
    Verdict::when(outcome.ending == Ending::Exit(1), || {
        format!("exit status 1 expected, {} seen", outcome.ending)
    })
}

/// The same, and whether there is a backtrace with names.
pub fn judge_with_backtrace(outcome: &Outcome, words: &[&str]) -> Verdict {
    let has_names = report(outcome).is_some_and(|report| report.lines().any(is_named_frame));
    match judge(outcome, words) {
        Verdict::Passed => Verdict::when(has_names, || "no backtrace with names".into()),
        other => other,
    }
}

/// The report in the output, if there is one.
fn report(outcome: &Outcome) -> Option<&str> {
    let begins = |word| outcome.transcript.find(word);
    let start = begins("PANIC:").or_else(|| begins("EXCEPTION:"))?;
    Some(&outcome.transcript[start..])
}

/// Whether `line` is a frame of a backtrace to which the host has added a function.
fn is_named_frame(line: &str) -> bool {
    let Some((_, frame)) = line.split_once("  #") else {
        return false;
    };
    let words: Vec<&str> = frame.split_whitespace().collect();
    matches!(words[..], [_, address, _name, ..] if address.starts_with("0x"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const REPORT: &str = "PANIC: as asked\r\nrip 0x1\r\nbacktrace:\r\n  #0 0xffffffff80101234 core::panic (a.rs:1)\r\n";

    fn judged(words: &[&str], ending: Ending, transcript: &str) -> Verdict {
        let outcome = Outcome {
            ending,
            transcript: transcript.into(),
            elapsed: Duration::ZERO,
            hypervisor: String::new(),
            kernel: String::new(),
            remark: None,
        };
        judge_with_backtrace(&outcome, words)
    }

    #[test]
    fn a_named_report_and_the_status_pass() {
        assert_eq!(judged(&["panic: As Asked"], Ending::Exit(1), REPORT), Verdict::Passed);
        let guard = REPORT.replace(
            "PANIC: as asked",
            "EXCEPTION: page fault at 0x1: the guard page below a stack",
        );
        let words = ["guard page", "stack overflow"];
        assert_eq!(judged(&words, Ending::Exit(1), &guard), Verdict::Passed);
    }

    #[test]
    fn silence_is_a_failure() {
        let fails = |words: &str, ending, transcript: &str| {
            assert!(matches!(judged(&[words], ending, transcript), Verdict::Failed(_)));
        };
        fails("panic:", Ending::Exit(1), "boot\n");
        fails("panic:", Ending::Reset, REPORT);
        fails("exception: page fault", Ending::Exit(1), REPORT);
        fails("panic:", Ending::Exit(1), &REPORT.replace(" core::panic (a.rs:1)", ""));
    }
}
