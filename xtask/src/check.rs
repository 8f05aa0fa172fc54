//! `check`: what must hold before anything runs, and what reviewers should not have to look for.
//!
//! The kernel is linted once for each choice of platforms, since its code differs from feature to feature, and for its real target,
//! since half of it does not exist on the host.

use crate::cli::Check;
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::toolchain::{Toolchain, running_cargo};
use crate::workshop::Workshop;
use anyhow::{Context, Result, ensure};
use std::process::Command;

/// Runs every check and names those that failed.
///
/// # Errors
/// One of them failed; cargo has said why.
pub fn run(workshop: &Workshop, asked: &Check) -> Result<()> {
    let chosen = Configuration::chosen(&asked.features)?;
    let configurations: Vec<_> = chosen.into_iter().flat_map(Configuration::and_pairs).collect();
    let mut failed = Vec::new();
    for (name, mut command) in commands(workshop, &configurations)? {
        eprintln!("check: {name}");
        if !command
            .status()
            .with_context(|| format!("cannot run the check of {name}"))?
            .success()
        {
            failed.push(name);
        }
    }
    ensure!(
        failed.is_empty(),
        Failure::Build.error(format!("these checks failed: {}", failed.join(", ")))
    );
    eprintln!("check: all is well");
    Ok(())
}

/// The checks by name.
fn commands(workshop: &Workshop, configurations: &[Configuration]) -> Result<Vec<(String, Command)>> {
    let toolchain = workshop.toolchain()?;
    let mut format = Command::new(running_cargo());
    format
        .args(["fmt", "--all", "--check"])
        .current_dir(&workshop.paths.root);
    let mut lints = toolchain.cargo("clippy");
    lints.args(["--all-targets", "--", "--deny", "warnings"]);
    let mut documentation = toolchain.cargo("doc");
    documentation.arg("--no-deps").env("RUSTDOCFLAGS", "--deny warnings");
    let mut commands = vec![
        ("formatting".to_owned(), format),
        ("lints on the host".to_owned(), lints),
        ("documentation".to_owned(), documentation),
    ];
    commands.extend(configurations.iter().map(|one| kernel_lints(toolchain, one)));
    commands.push(program_lints(toolchain));
    if configurations
        .iter()
        .any(|one| one.platforms().contains(&Platform::Vmi))
    {
        commands.push(rom_lints(toolchain));
    }
    Ok(commands)
}

/// Lints of the kernel in one configuration.
fn kernel_lints(toolchain: &Toolchain, configuration: &Configuration) -> (String, Command) {
    let mut lints = toolchain.bare_cargo("clippy");
    lints.args(["--package", "kernel-core", "--features", &configuration.features()]);
    lints.args(["--", "--deny", "warnings"]);
    (format!("lints of the kernel for {configuration}"), lints)
}

/// Lints of the user programs.
fn program_lints(toolchain: &Toolchain) -> (String, Command) {
    let mut lints = toolchain.bare_cargo("clippy");
    lints.args(["--package", "user-programs", "--features", "executable"]);
    lints.args(["--", "--deny", "warnings"]);
    ("lints of the user programs".to_owned(), lints)
}

/// Lints of the option ROMs.
fn rom_lints(toolchain: &Toolchain) -> (String, Command) {
    let mut lints = toolchain.bare_cargo("clippy");
    lints.args(["--package", "vmi-rom", "--", "--deny", "warnings"]);
    ("lints of the ROMs".to_owned(), lints)
}
