//! The tests that run on the host: `cargo test` at the root of the workspace.

use super::case::Tally;
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use std::process::Stdio;

/// Runs them all; what they print is shown only if something failed.
pub fn run(workshop: &Workshop) -> Result<Tally> {
    eprintln!("host tests: cargo test");
    let mut cargo = workshop.toolchain()?.cargo("test");
    cargo.arg("--no-fail-fast").stdin(Stdio::null());
    let result = cargo.output().context("cannot run cargo")?;
    let output = String::from_utf8_lossy(&result.stdout);
    let mut tally = counted(&output);
    if !result.status.success() {
        println!("{output}\n{}", String::from_utf8_lossy(&result.stderr));
        // A crate whose tests do not compile prints no result line at all, and must not pass for one without tests.
        tally.failed = tally.failed.max(1);
    }
    println!("host tests: {tally}");
    Ok(tally)
}

/// Adds up the lines `test result: ok. 3 passed; 0 failed; 1 ignored; …` of cargo's test runner.
fn counted(output: &str) -> Tally {
    let mut tally = Tally::default();
    for result in output.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        let (_, counts) = result.split_once(". ").unwrap_or(("", result));
        for count in counts.split("; ") {
            let Some((number, kind)) = count.split_once(' ') else {
                continue;
            };
            let number = number.parse().unwrap_or(0);
            match kind {
                "passed" => tally.passed += number,
                "failed" => tally.failed += number,
                "ignored" => tally.skipped += number,
                _ => {}
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_result_lines_are_added_up() {
        let output = "\
running 3 tests
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1.50s
";
        assert_eq!(
            counted(output),
            Tally {
                passed: 13,
                failed: 2,
                skipped: 1
            }
        );
    }

    #[test]
    fn other_output_counts_nothing() {
        assert_eq!(
            counted("test result:\ntest a ... ok\n7 passed\ntest result: passed"),
            Tally::default()
        );
    }
}
