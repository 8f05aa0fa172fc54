//! One run of the kernel's own tests, and what can be concluded from what it printed.

use super::answers::{self, Evidence};
use super::case::{Case, Column, Tally, Verdict};
use super::lines;
use super::plan::{Expected, Planned};
use crate::build::Built;
use crate::failure::explain;
use crate::platform::Platform;
use crate::qemu;
use crate::qemu::exit::Ending;
use crate::qemu::machine::Extras;
use crate::qemu::session::{Console, Outcome};
use crate::qemu::socket::Socket;
use crate::workshop::Workshop;
use anyhow::Result;

/// The row of the table that says whether the run as a whole came to its end.
const WHOLE: &str = "run to its end";
/// The row that says whether the kernel reported the ROM it found.
const ROM: &str = "reports the ROM";
/// How much of a hanging machine's output is shown.
const LAST_LINES: usize = 15;

/// Boots the kernel as `planned` and judges the output.
pub fn run(workshop: &Workshop, planned: &Planned, built: &Built) -> Column {
    let label = planned.label.clone();
    let what = match &planned.expected {
        Expected::Refusal(tampering) => tampering.name,
        Expected::BrokenTable(broken) => broken.name,
        Expected::Tests { .. } | Expected::Report(_) | Expected::Insistence(_) => &planned.arguments,
    };
    eprint!("{} {label} {what}: ", planned.setup.configuration);
    match boot(workshop, planned, built) {
        Ok(outcome) => {
            let cases = judge(planned.setup.platform, &planned.expected, &outcome);
            eprintln!("{}; {:.1} s", Tally::of(&cases), outcome.elapsed.as_secs_f64());
            let remark = outcome.remark.map(|remark| format!("\n{remark}\n")).unwrap_or_default();
            let evidence = Evidence {
                kernel: outcome.kernel,
                answers: answers::read(&outcome.transcript).map(|answers| (planned.setup.rom_and_place(), answers)),
            };
            Column {
                evidence: vec![evidence],
                ..Column::of(label, cases, &(outcome.transcript + &remark))
            }
        }
        Err(why) => {
            eprintln!("not started");
            Column::failed(label, explain(&why))
        }
    }
}

/// Runs the machine, unattended but for the debugger that changes it, if that is the plan; or with a kernel made of this one.
fn boot(workshop: &Workshop, planned: &Planned, built: &Built) -> Result<Outcome> {
    let debugger = match &planned.expected {
        Expected::Refusal(tampering) => Some(tampering.wait()?),
        Expected::Tests { .. } | Expected::Report(_) | Expected::Insistence(_) | Expected::BrokenTable(_) => None,
    };
    let built = match &planned.expected {
        Expected::BrokenTable(broken) => broken.built(built),
        Expected::Tests { .. } | Expected::Report(_) | Expected::Insistence(_) | Expected::Refusal(_) => built.clone(),
    };
    let extras = Extras {
        debugger: debugger.as_ref().map(Socket::address),
        ..Extras::default()
    };
    let machine = qemu::prepare(workshop, &planned.setup, &built, &planned.arguments, &extras)?;
    let mut outcome = machine.run(Console::Unattended(planned.limit))?;
    let trouble = debugger.and_then(Socket::outcome).and_then(Result::err);
    outcome.remark = outcome
        .remark
        .or(trouble.map(|why| format!("the debugger: {}", explain(&why))));
    Ok(outcome)
}

/// The verdicts that follow from a run's output and end.
fn judge(platform: Platform, expected: &Expected, outcome: &Outcome) -> Vec<Case> {
    match expected {
        Expected::Tests { said_of_rom } => {
            let mut cases = lines::tests(&outcome.transcript);
            let whole = whole_run(&cases, outcome);
            cases.extend(
                said_of_rom
                    .as_deref()
                    .map(|phrase| Case::new(ROM, says(phrase, outcome))),
            );
            cases.push(Case::new(WHOLE, whole));
            cases
        }
        Expected::Report(breakage) => vec![Case::new(breakage.name(), breakage.judge(platform, outcome))],
        Expected::Insistence(asked) => vec![Case::new(asked.name(), asked.judge(outcome))],
        Expected::Refusal(tampering) => vec![Case::new(tampering.name, tampering.judge(outcome))],
        Expected::BrokenTable(broken) => vec![Case::new(broken.name, broken.judge(outcome))],
    }
}

/// Whether the console has a line with `phrase`.
fn says(phrase: &str, outcome: &Outcome) -> Verdict {
    Verdict::when(outcome.transcript.contains(phrase), || {
        format!("\"{phrase}\" is nowhere in the output")
    })
}

/// Whether the kernel ran all its tests and ended as their results demand.
fn whole_run(cases: &[Case], outcome: &Outcome) -> Verdict {
    let (tally, total) = (Tally::of(cases), lines::total(&outcome.transcript));
    let seen = cases.len() as u64;
    let why = match (&outcome.ending, total) {
        (Ending::TimedOut(_), _) => format!("a hang: {}; its last lines:\n{}", outcome.ending, last(outcome)),
        (_, None) => format!(
            "no closing line; {}; its last lines:\n{}",
            outcome.ending,
            last(outcome)
        ),
        (_, Some(total)) if total != seen => format!("{total} tests counted, {seen} seen"),
        (_, Some(0)) => "no test ran".to_owned(),
        (Ending::Exit(0), _) if tally.failed == 0 => return Verdict::Passed,
        (Ending::Exit(1), _) if tally.failed > 0 => return Verdict::Passed,
        (other, _) => format!("{tally}, but {other}"),
    };
    Verdict::Failed(why)
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
            hypervisor: String::new(),
            kernel: String::new(),
            remark: None,
        }
    }

    fn verdict(ending: Ending, transcript: &str) -> Verdict {
        let expected = Expected::Tests { said_of_rom: None };
        judge(Platform::Native, &expected, &outcome(ending, transcript))
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
    fn the_rom_is_a_test_of_its_own_and_not_counted_by_the_kernel() {
        let verdicts = |phrase: &str| {
            let expected = Expected::Tests {
                said_of_rom: Some(phrase.into()),
            };
            let cases = judge(Platform::Vmi, &expected, &outcome(Ending::Exit(0), GOOD));
            cases.into_iter().map(|case| case.verdict).collect::<Vec<_>>()
        };
        assert!(matches!(verdicts("boot")[2..], [Verdict::Passed, Verdict::Passed]));
        assert!(matches!(verdicts("ROM")[2..], [Verdict::Failed(_), Verdict::Passed]));
    }
}
