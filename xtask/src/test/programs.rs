//! The user programs under Linux, on this host.
//!
//! The kernel promises Linux's system calls, and Linux is at hand. So the list of what to run, and how it must end, is carried out here
//! first: a program that expects something else than Linux does would make the kernel wrong in the same way, and no
//! test in the kernel could notice.

use super::case::{Case, Column, Verdict};
use crate::failure::explain;
use crate::programs;
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use user_programs::cases::{self, End, OnLinux, Signal};

/// How long one run may take; it takes a fraction of a second.
const LIMIT: Duration = Duration::from_secs(60);
/// What `hello` must print here, given these arguments and this environment.
const GREETING: &str = "hello from a program\nargument 0: hello\nargument 1: you there\nenvironment: PLACE=host\n";

/// Runs all of them.
pub fn run(workshop: &Workshop) -> Column {
    eprintln!("user programs on this host");
    let label = "Linux";
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let why = Verdict::Skipped("this host is no Linux on x86-64".into());
        return Column::of(label, vec![Case::new("programs", why)], "");
    }
    match programs::build(workshop) {
        Ok(file) => {
            let greeting = Case::new("hello, its output", greets(&file));
            let cases = cases::all().map(|case| Case::new(case.to_string(), judge(&file, case)));
            Column::of(label, [greeting].into_iter().chain(cases).collect(), "")
        }
        Err(why) => Column::failed(label, explain(&why)),
    }
}

/// Whether arguments and environment arrive.
fn greets(file: &Path) -> Verdict {
    let mut command = Command::new(file);
    command.arg0("hello").arg("you there").env_clear().env("PLACE", "host");
    match carry_out(command) {
        Ok(run) => Verdict::when(run.output == GREETING && run.status.success(), || run.output),
        Err(why) => Verdict::Failed(explain(&why)),
    }
}

/// Runs one case.
fn judge(file: &Path, case: &cases::Case) -> Verdict {
    if let OnLinux::Differs(why) = case.on_linux {
        return Verdict::Skipped(why.into());
    }
    let mut command = Command::new(file);
    command.arg0(case.arguments[0]).args(&case.arguments[1..]);
    match carry_out(command) {
        Ok(run) => {
            let right = end(run.status).is_some_and(|end| case.allows(end));
            Verdict::when(right, || format!("{}: {}", run.status, run.output.trim_end()))
        }
        Err(why) => Verdict::Failed(explain(&why)),
    }
}

/// What a program printed, and its end.
struct Run {
    output: String,
    status: ExitStatus,
}

/// Runs `command` to its end, or kills it when its time is over.
fn carry_out(mut command: Command) -> Result<Run> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut pipe = child.stdout.take().context("the output is not ours")?;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).map(|_| bytes)
    });
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if Instant::now() > deadline => child.kill()?,
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let bytes = reader.join().ok().context("the output could not be read")??;
    Ok(Run {
        output: String::from_utf8_lossy(&bytes).into_owned(),
        status,
    })
}

/// An end in the words of the list, if it has one for it.
fn end(status: ExitStatus) -> Option<End> {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).ok().map(End::Exit),
        (None, signal) => Signal::from_number(u8::try_from(signal?).ok()?).map(End::Killed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_status_or_a_signal() {
        assert_eq!(end(ExitStatus::from_raw(3 << 8)), Some(End::Exit(3)));
        assert_eq!(end(ExitStatus::from_raw(11)), Some(End::Killed(Signal::Segmentation)));
        assert_eq!(end(ExitStatus::from_raw(15)), None);
    }

    #[test]
    fn output_and_end_are_kept() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo here; kill -SEGV $$"]);
        let run = carry_out(shell).unwrap();
        assert_eq!((run.output.as_str(), run.status.signal()), ("here\n", Some(11)));
    }
}
