//! The tests that run in the guest: one list, the same on every platform.
//!
//! `test=all` on the command line runs them instead of the monitor, `test=NAME,NAME` some of them, `test=list` names them. Those
//! that take minutes run only if they are named, or all of them as `test=soak`. Each prints one line that `cargo xtask test` reads,
//! and the kernel ends with status 0 if none failed.

mod clock;
mod faults;
mod interrupts;
mod locks;
mod machine;
mod memory;
mod programs;
mod smp;
mod tables;
mod threads;

use crate::power;
use alloc::string::String;
use core::fmt;

/// The status of a kernel one of whose tests failed, or that was asked for a test it does not have.
const FAILED: u8 = 1;

/// Why a test did not pass.
pub(crate) enum Trouble {
    /// What it saw instead of what it expected.
    Failed(String),
    /// What this machine lacks.
    Skipped(&'static str),
}

pub(crate) type Outcome = Result<(), Trouble>;

/// A test.
pub(crate) struct Case {
    name: &'static str,
    run: fn() -> Outcome,
}

const GROUPS: &[&[Case]] = &[
    machine::CASES,
    interrupts::CASES,
    clock::CASES,
    memory::CASES,
    tables::CASES,
    faults::CASES,
    smp::CASES,
    threads::CASES,
    threads::MOVING_CASES,
    locks::CASES,
    programs::CASES,
];

/// Those that take minutes.
const LONG_GROUPS: &[&[Case]] = &[threads::LONG_CASES, programs::LONG_CASES];

/// Fails the test, with the text as the reason, unless the condition holds.
macro_rules! check {
    ($condition:expr, $($reason:tt)*) => {
        if !$condition {
            return Err($crate::test::failure(format_args!($($reason)*)));
        }
    };
}
pub(crate) use check;

/// Fails the test unless both values are equal.
macro_rules! check_eq {
    ($found:expr, $expected:expr) => {{
        let (found, expected) = (&$found, &$expected);
        if *found != *expected {
            return Err($crate::test::difference(line!(), stringify!($found), found, expected));
        }
    }};
}
pub(crate) use check_eq;

/// A failure for `reason`. Out of line, like [`difference`]: there are hundreds of checks, and in a good kernel none of them fails.
#[cold]
#[inline(never)]
pub(crate) fn failure(reason: fmt::Arguments<'_>) -> Trouble {
    Trouble::Failed(alloc::fmt::format(reason))
}

/// A failure because what was found is not what was expected.
#[cold]
#[inline(never)]
pub(crate) fn difference(line: u32, what: &str, found: &dyn fmt::Debug, expected: &dyn fmt::Debug) -> Trouble {
    failure(format_args!("line {line}: {what} is {found:?}, not {expected:?}"))
}

/// A failure with `reason` in front of what went wrong.
pub(crate) fn failed<E: fmt::Display>(reason: &'static str) -> impl FnOnce(E) -> Trouble {
    move |error| failure(format_args!("{reason}: {error}"))
}

/// Runs the tests that `which` names and ends the kernel.
pub fn run(which: &str) -> ! {
    if which == "list" {
        all_cases().for_each(|case| println!("test: {}", case.name));
        power::exit(0)
    }
    if let Some(unknown) = which
        .split(',')
        .find(|name| !["all", "soak"].contains(name) && !all_cases().any(|case| case.name == *name))
    {
        println!("no test is called `{unknown}`; `test=list` names them");
        power::exit(FAILED)
    }
    let asked = |wanted: &str| which.split(',').any(|name| name == wanted);
    let usual = cases(GROUPS).filter(|case| asked("all") || asked(case.name));
    let long = cases(LONG_GROUPS).filter(|case| asked("soak") || asked(case.name));
    let [passed, failed, skipped] = usual.chain(long).fold([0; 3], run_one);
    println!("tests: {passed} passed, {failed} failed, {skipped} skipped");
    power::exit(if failed == 0 { 0 } else { FAILED })
}

fn all_cases() -> impl Iterator<Item = &'static Case> {
    cases(GROUPS).chain(cases(LONG_GROUPS))
}

fn cases(groups: &'static [&'static [Case]]) -> impl Iterator<Item = &'static Case> {
    groups.iter().copied().flatten()
}

/// Runs one test and adds it to the counts of those that passed, failed and were skipped.
fn run_one([passed, failed, skipped]: [u32; 3], case: &Case) -> [u32; 3] {
    print!("test {} ... ", case.name);
    match (case.run)() {
        Ok(()) => {
            println!("ok");
            [passed + 1, failed, skipped]
        }
        Err(Trouble::Failed(reason)) => {
            println!("FAILED: {reason}");
            [passed, failed + 1, skipped]
        }
        Err(Trouble::Skipped(reason)) => {
            println!("skipped: {reason}");
            [passed, failed, skipped + 1]
        }
    }
}
