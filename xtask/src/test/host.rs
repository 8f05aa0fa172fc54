//! The tests that run on the host: `cargo test` at the root of the workspace, and the models of what takes no lock.
//!
//! A test of lock-free code sees the orders that the host happens to run it in. `loom` runs a small model of it in all orders that
//! the language allows, which needs the crates compiled anew for the purpose.

use super::case::Tally;
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use std::process::{Command, Stdio};

/// The crates that have models.
const MODELLED: [&str; 2] = ["kernel-logic", "subarch-native"];

/// Runs the ordinary tests.
pub fn run(workshop: &Workshop) -> Result<Tally> {
    let mut cargo = workshop.toolchain()?.cargo("test");
    cargo.arg("--no-fail-fast");
    counted_run("host tests", &mut cargo)
}

/// Runs the models, whose tests have `loom` in their names.
pub fn run_models(workshop: &Workshop) -> Result<Tally> {
    let folder = workshop.paths.target.join("loom");
    let mut cargo = workshop.toolchain()?.cargo_into("test", &folder);
    cargo.args(MODELLED.iter().flat_map(|name| ["--package", name]));
    cargo
        .args(["--release", "--lib", "loom"])
        .env("RUSTFLAGS", "--cfg loom");
    let mut tally = counted_run("models", &mut cargo)?;
    if tally.passed == 0 {
        // Without the flag there are no models, and all of none would pass.
        tally.failed = tally.failed.max(1);
    }
    Ok(tally)
}

/// Runs a `cargo test`; what it prints is shown only if something failed.
fn counted_run(title: &str, cargo: &mut Command) -> Result<Tally> {
    eprintln!("{title}: cargo test");
    let result = cargo.stdin(Stdio::null()).output().context("cannot run cargo")?;
    let output = String::from_utf8_lossy(&result.stdout);
    let mut tally = counted(&output);
    if !result.status.success() {
        println!("{output}\n{}", String::from_utf8_lossy(&result.stderr));
        // A crate whose tests do not compile prints no result line at all, and must not pass for one without tests.
        tally.failed = tally.failed.max(1);
    }
    println!("{title}: {tally}");
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
