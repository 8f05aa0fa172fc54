//! `cargo xtask`: build, run, test, image and debug Anyring.
//!
//! One program instead of a folder of scripts, for one reason: a newcomer's machine has Rust and little else, and what
//! a kernel needs to run (an emulator, firmware, a hypervisor, a Linux for dom0) must not become their problem. Each verb
//! builds what it needs, fetches what is missing, and says in one line what it could not get.
//!
//! Start reading at [`cli`] for what can be asked, at [`run`] for the shortest way through all of it.

mod audit;
mod bench;
mod build;
mod check;
mod cli;
mod configuration;
mod console;
mod doctor;
mod domu;
mod failure;
mod fetch;
mod image;
mod new_rom;
mod paths;
mod places;
mod platform;
mod programs;
mod qemu;
mod rom;
mod run;
mod setup;
mod sites;
mod soak;
mod test;
mod toolchain;
mod workshop;

use anyhow::Result;
use clap::Parser;
use clap::error::ErrorKind;
use cli::{Cli, Verb};
use configuration::Configuration;
use failure::{Failure, explain};
use std::process::ExitCode;
use workshop::Workshop;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(carry_out(&cli).unwrap_or_else(|error| {
            eprintln!("error: {}", explain(&error));
            Failure::of(&error).status()
        })),
        Err(error) => refuse(&error),
    }
}

/// Carries out one verb; the exit status is the kernel's where there is one.
fn carry_out(cli: &Cli) -> Result<u8> {
    let workshop = Workshop::open(cli.no_install)?;
    match &cli.verb {
        Verb::Build(image) => build::all(&workshop, &Configuration::only(&image.features)?, image.release).map(|()| 0),
        Verb::Run(asked) => run::run(&workshop, asked),
        Verb::Test(asked) => test::run(&workshop, asked),
        Verb::Bench(asked) => bench::run(&workshop, asked),
        Verb::Audit(asked) => audit::run(&workshop, asked),
        Verb::Sites(asked) => sites::run(&workshop, asked),
        Verb::NewRom(asked) => new_rom::run(&workshop, asked).map(|()| 0),
        Verb::Rom(asked) => rom::run(&workshop, &asked.rom).map(|()| 0),
        Verb::Image(asked) => image::make(&workshop, asked).map(|()| 0),
        Verb::Soak(asked) => soak::run(&workshop, asked).map(|()| 0),
        Verb::Doctor => {
            doctor::run(&workshop);
            Ok(0)
        }
        Verb::Check(asked) => check::run(&workshop, asked).map(|()| 0),
    }
}

/// Shows help, the version, or what is wrong with the command line.
fn refuse(error: &clap::Error) -> ExitCode {
    // A closed terminal is the only way this fails, and then there is nobody left to tell.
    drop(error.print());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(Failure::Usage.status()),
    }
}
