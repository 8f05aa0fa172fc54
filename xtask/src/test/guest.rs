//! One run of the kernel's own tests, and what can be concluded from what it printed.

use super::case::{Case, Column, Verdict};
use super::lines;
use super::plan::{Expected, Planned};
use crate::build::Built;
use crate::failure::explain;
use crate::qemu;
use crate::qemu::exit::Ending;
use crate::qemu::machine::Extras;
use crate::qemu::session::{Console, Outcome};
use crate::workshop::Workshop;
use anyhow::Result;

/// The row of the table that says whether the run as a whole came to its end.
const WHOLE: &str = "run to its end";
/// How much of a hanging machine's output is shown.
const LAST_LINES: usize = 15;

/// Boots the kernel as `planned` and judges the output.
pub fn run(workshop: &Workshop, planned: &Planned, built: &Built) -> Column {
    let label = planned.label.clone();
    eprint!("{} {label}: ", planned.setup.platform);
    match boot(workshop, planned, built) {
        Ok(outcome) => {
            let cases = judge(&planned.expected, &outcome);
            let failed = cases
                .iter()
                .filter(|case| matches!(case.verdict, Verdict::Failed(_)))
                .count();
            eprintln!(
                "{} tests, {failed} failed, {:.1} s",
                cases.len(),
                outcome.elapsed.as_secs_f64()
            );
            let remark = outcome.remark.map(|remark| format!("\n{remark}")).unwrap_or_default();
            Column::of(label, cases, &(outcome.transcript + &remark))
        }
        Err(why) => {
            eprintln!("not started");
            Column::failed(label, explain(&why))
        }
    }
}

/// Runs the machine, unattended.
fn boot(workshop: &Workshop, planned: &Planned, built: &Built) -> Result<Outcome> {
    let machine = qemu::prepare(workshop, &planned.setup, built, &planned.arguments, &Extras::default())?;
    machine.run(Console::Unattended(planned.limit))
}

/// The verdicts that follow from a run's output and end.
fn judge(expected: &Expected, outcome: &Outcome) -> Vec<Case> {
    match expected {
        Expected::Tests { also } => {
            let mut cases = lines::tests(&outcome.transcript);
            cases.extend(also.iter().map(|phrase| says(phrase, &outcome.transcript)));
            cases.push(Case::new(WHOLE, whole_run(&cases, outcome)));
            cases
        }
        Expected::Report(breakage) => vec![Case::new(breakage.name(), breakage.judge(outcome))],
    }
}

/// Whether the console has a line with `phrase`.
fn says(phrase: &str, transcript: &str) -> Case {
    let said = transcript.contains(phrase);
    Case::new(
        format!("says \"{phrase}\""),
        Verdict::when(said, || "it is nowhere in the output".into()),
    )
}

/// Whether the kernel ran all its tests and ended as their results demand.
fn whole_run(cases: &[Case], outcome: &Outcome) -> Verdict {
    let count = |wanted: fn(&Verdict) -> bool| cases.iter().filter(|case| wanted(&case.verdict)).count() as u64;
    let tests = count(|_| true) - cases.iter().filter(|case| case.name.starts_with("says ")).count() as u64;
    match (&outcome.ending, lines::total(&outcome.transcript)) {
        (Ending::TimedOut(_), _) => Verdict::Failed(format!(
            "a hang: {}; its last lines:\n{}",
            outcome.ending,
            last(outcome)
        )),
        (_, None) => Verdict::Failed(format!(
            "no closing line; {}; its last lines:\n{}",
            outcome.ending,
            last(outcome)
        )),
        (_, Some(total)) if total != tests => Verdict::Failed(format!("{total} tests counted, {tests} seen")),
        (_, Some(0)) => Verdict::Failed("no test ran".into()),
        (Ending::Exit(0), _) => Verdict::Passed,
        (Ending::Exit(1), _) if count(|verdict| matches!(verdict, Verdict::Failed(_))) > 0 => Verdict::Passed,
        (other, _) => Verdict::Failed(other.to_string()),
    }
}

/// The end of a machine's output, indented.
fn last(outcome: &Outcome) -> String {
    let lines: Vec<&str> = outcome.transcript.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..]
        .iter()
        .map(|line| format!("    {}\n", line.trim_end()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const GOOD: &str =
        "boot\r\ntest heap ... ok\r\ntest tsc ... skipped: no tsc\r\ntests: 1 passed, 0 failed, 1 skipped\r\n";

    fn outcome(ending: Ending, transcript: &str) -> Outcome {
        Outcome {
            ending,
            transcript: transcript.into(),
            elapsed: Duration::ZERO,
            remark: None,
        }
    }

    fn verdict(ending: Ending, transcript: &str) -> Verdict {
        judge(&Expected::Tests { also: Vec::new() }, &outcome(ending, transcript))
            .pop()
            .unwrap()
            .verdict
    }

    #[test]
    fn a_good_run_passes() {
        assert_eq!(verdict(Ending::Exit(0), GOOD), Verdict::Passed);
    }

    #[test]
    fn a_failed_test_is_counted_once() {
        let bad = GOOD
            .replace("heap ... ok", "heap ... FAILED: why")
            .replace("1 passed, 0 failed", "0 passed, 1 failed");
        assert_eq!(verdict(Ending::Exit(1), &bad), Verdict::Passed);
    }

    #[test]
    fn a_hang_is_called_a_hang() {
        let Verdict::Failed(why) = verdict(Ending::TimedOut(Duration::from_secs(5)), "test heap ... ok\n") else {
            panic!()
        };
        assert!(
            why.starts_with("a hang: still running after 5 s") && why.contains("    test heap ... ok"),
            "{why}"
        );
    }

    #[test]
    fn what_does_not_add_up_fails() {
        assert!(
            matches!(verdict(Ending::Exit(1), GOOD), Verdict::Failed(_)),
            "status 1 without a failed test"
        );
        assert!(
            matches!(verdict(Ending::Reset, GOOD), Verdict::Failed(_)),
            "a reset after the last test"
        );
        assert!(
            matches!(verdict(Ending::Exit(0), "test heap ... ok\n"), Verdict::Failed(_)),
            "no closing line"
        );
        assert!(
            matches!(
                verdict(Ending::Exit(0), "tests: 0 passed, 0 failed, 0 skipped\n"),
                Verdict::Failed(_)
            ),
            "no test"
        );
        assert!(
            matches!(
                verdict(Ending::Exit(0), &GOOD.replace("1 passed", "2 passed")),
                Verdict::Failed(_)
            ),
            "a lost line"
        );
    }

    #[test]
    fn phrases_are_tests_of_their_own_and_not_counted_by_the_kernel() {
        let expected = Expected::Tests {
            also: vec!["boot".into(), "ROM".into()],
        };
        let cases = judge(&expected, &outcome(Ending::Exit(0), GOOD));
        let verdicts: Vec<&Verdict> = cases.iter().map(|case| &case.verdict).collect();
        assert!(
            matches!(verdicts[2..], [Verdict::Passed, Verdict::Failed(_), Verdict::Passed]),
            "{cases:?}"
        );
    }
}
