//! `run`: from sources to the kernel's prompt in one word.

use crate::build;
use crate::cli::{LogLevel, Run};
use crate::programs;
use crate::qemu;
use crate::qemu::machine::Extras;
use crate::qemu::session::Console;
use crate::setup::Setup;
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::net::TcpListener;

/// Builds, boots, attaches the terminal; returns the kernel's exit status.
///
/// # Errors
/// The kernel could not be started, or ended without a verdict.
pub fn run(workshop: &Workshop, asked: &Run) -> Result<u8> {
    let mut setup = Setup::new(&asked.image, &asked.machine)?;
    let built = build::kernel(workshop, &setup.configuration, setup.release)?;
    if setup.module.is_none() {
        setup.module = Some(programs::build(workshop)?);
    }
    let debugger_port = asked.gdb.then(free_port).transpose()?;
    let extras = Extras {
        debugger: debugger_port.map(|port| format!("tcp:localhost:{port}").into()),
        count_instructions: asked.icount,
        exits: None,
    };
    let arguments = kernel_arguments(asked.log, &asked.arguments);
    let machine = qemu::prepare(workshop, &setup, &built, &arguments, &extras)?;
    eprintln!("{}", machine.sentence);
    if let Some(port) = debugger_port {
        eprintln!("the machine waits for a debugger; in another terminal, here, type:");
        eprintln!("    gdb {}", workshop.paths.shown(&built.full));
        eprintln!("    target remote localhost:{port}");
    }
    let outcome = machine.run(Console::Attached)?;
    if let Some(remark) = &outcome.remark {
        eprintln!("{remark}");
    }
    outcome.ending.status()
}

/// What the kernel is told: its log level, then the user's own words.
fn kernel_arguments(log: Option<LogLevel>, own: &[String]) -> String {
    let level = log
        .and_then(|level| level.to_possible_value())
        .map(|value| format!("log={}", value.get_name()));
    level
        .iter()
        .chain(own)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A port of this machine that nobody listens on.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("localhost:0").context("no free port for the debugger")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_words_come_last_so_that_they_win() {
        let own = ["test=all".to_owned(), "log=warn".to_owned()];
        assert_eq!(
            kernel_arguments(Some(LogLevel::Debug), &own),
            "log=debug test=all log=warn"
        );
        assert_eq!(kernel_arguments(None, &[]), "");
    }
}
