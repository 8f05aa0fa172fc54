//! One machine from power-on to its end: its console shown, kept and typed at, its time limited.

use super::desk::{Desk, Served};
use super::events::Events;
use super::exit::Ending;
use super::lines::Lines;
use super::socket::Socket;
use anyhow::{Context, Result};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A limit for runs that a person watches and ends.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Who is at the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// The user's terminal, or whatever standard input and output are: shown and typed at, no time limit.
    Attached,
    /// Nobody: output is kept for the verdict, and the machine is killed after this time.
    Unattended(Duration),
}

impl Console {
    /// QEMU's arguments for the serial line that the kernel listens to. Only a terminal gets the monitor and its Ctrl-A commands.
    pub fn arguments(self) -> &'static [&'static str] {
        if self == Self::Attached && io::stdin().is_terminal() {
            &["-serial", "mon:stdio"]
        } else {
            &["-serial", "stdio", "-monitor", "none"]
        }
    }
}

/// What a machine left behind.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// All its console output, backtraces with names.
    pub transcript: String,
    /// From the start of QEMU to its end.
    pub elapsed: Duration,
    /// What a hypervisor said for itself, if it has a line to do so.
    pub hypervisor: String,
    /// The SHA-256 of the kernel's file as it was booted.
    pub kernel: String,
    /// What a host around the kernel has to say about this ending.
    pub remark: Option<String>,
}

/// Runs `qemu`, a machine with these serial lines, to its end. `image` is the kernel with debug information, built from the sources below `root`.
pub fn run(mut qemu: Command, console: Console, lines: Lines, image: &Path, root: &Path) -> Result<Outcome> {
    let started = Instant::now();
    let events = Events::listen()?;
    let attended = console == Console::Attached;
    let piped = attended && !io::stdin().is_terminal();
    let mut desk = Desk::new(attended, image, root);
    let aside = Socket::listen(desk.listener())?;
    qemu.args(lines.arguments(console.arguments(), aside.address()))
        .args(events.arguments())
        .stdout(Stdio::piped());
    qemu.stdin(match (attended, piped) {
        (_, true) => Stdio::piped(),
        (true, false) => Stdio::inherit(),
        (false, _) => Stdio::null(),
    });
    let mut child = qemu
        .spawn()
        .with_context(|| format!("cannot start {}", qemu.get_program().display()))?;
    desk.attach(&mut child, piped)?;
    let limit = if let Console::Unattended(limit) = console {
        limit
    } else {
        A_DAY
    };
    let served = desk.serve(started + limit)?;
    if served != Served::Ended {
        child.kill().context("cannot kill QEMU")?;
    }
    let status = child.wait().context("QEMU cannot be waited for")?;
    let reason = events.reason();
    aside.outcome();
    desk.clear()?;
    let ending = match served {
        Served::Ended => Ending::of(status, reason.as_deref()).with_transcript(&desk.transcript),
        Served::OutOfLines => Ending::Left,
        Served::OutOfTime => Ending::TimedOut(limit),
    };
    Ok(Outcome {
        ending,
        transcript: desk.transcript,
        hypervisor: desk.hypervisor,
        elapsed: started.elapsed(),
        kernel: String::new(),
        remark: None,
    })
}
