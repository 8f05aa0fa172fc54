//! Running the benchmarks of one platform: its optimised kernel, on a machine that counts instructions.

use super::results::Results;
use crate::build::{self, Built};
use crate::cli::{Image, MachineArgs, Memory, RomChoice};
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::programs;
use crate::qemu;
use crate::qemu::exit::Ending;
use crate::qemu::machine::Extras;
use crate::qemu::session::{Console, Outcome};
use crate::setup::Setup;
use crate::workshop::Workshop;
use anyhow::{Result, ensure};
use std::time::Duration;

/// What the kernel is told.
const ARGUMENTS: &str = "bench=all log=warn";
/// The kernel's last word when everything was measured.
const DONE: &str = "benches: done";
/// Memory in MiB, the same for all.
const MEMORY: Memory = Memory(512);
/// How long a machine may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Measures `platform`, and adds what was found to `results`.
///
/// Where something is below the kernel, it is measured twice: the image that is shipped tells the instructions, and one that counts how
/// often it goes there. For vmi that is with the ROM that takes every call over, since one that leaves a call to the kernel is not called.
///
/// # Errors
/// A kernel could not be built, or did not measure to the end.
pub fn measure(workshop: &Workshop, platform: Platform, results: &mut Results) -> Result<()> {
    let transcript = run(
        workshop,
        platform,
        &build::kernel(workshop, &Configuration::Single(platform), true)?,
        None,
    )?;
    let counted = match platform {
        Platform::Native => None,
        Platform::Xen => Some(run(
            workshop,
            platform,
            &build::counting_kernel(workshop, platform)?,
            None,
        )?),
        Platform::Vmi => {
            let rom = RomChoice::Built("call".to_owned());
            Some(run(
                workshop,
                platform,
                &build::counting_kernel(workshop, platform)?,
                Some(rom),
            )?)
        }
    };
    results.add(platform, &transcript, counted.as_deref());
    Ok(())
}

/// Has the kernel measure everything, with the usual ROM if none is given; returns what it printed.
fn run(workshop: &Workshop, platform: Platform, built: &Built, rom: Option<RomChoice>) -> Result<String> {
    let image = Image {
        features: vec![platform.name().to_owned()],
        release: true,
    };
    let machine = MachineArgs {
        memory: Some(MEMORY),
        rom,
        ..MachineArgs::default()
    };
    let mut setup = Setup::new(&image, &machine)?;
    setup.module = Some(programs::build(workshop)?);
    let extras = Extras {
        count_instructions: true,
        ..Extras::default()
    };
    let machine = qemu::prepare(workshop, &setup, built, ARGUMENTS, &extras)?;
    let outcome = machine.run(Console::Unattended(LIMIT))?;
    check(platform, &outcome)?;
    Ok(outcome.transcript)
}

/// Refuses what was not measured to the end.
fn check(platform: Platform, outcome: &Outcome) -> Result<()> {
    let complete = outcome.transcript.lines().any(|line| line.trim_end() == DONE);
    let good = complete && matches!(outcome.ending, Ending::Exit(0));
    ensure!(
        good,
        Failure::NoVerdict.error(format!(
            "{platform}: not measured to the end: {}\n{}",
            outcome.ending, outcome.transcript
        ))
    );
    Ok(())
}
