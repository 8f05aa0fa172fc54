//! Running the benchmarks of one image: the optimised kernel, on a machine that counts instructions.

use super::results::Results;
use super::subject::Subject;
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

/// Measures the image in this configuration, and adds what was found to `results`.
///
/// # Errors
/// A kernel could not be built, or did not measure to the end.
pub fn measure(workshop: &Workshop, configuration: &Configuration, results: &mut Results) -> Result<()> {
    let built = build::kernel(workshop, configuration, true)?;
    for subject in Subject::all_of(configuration) {
        let transcript = run(workshop, subject, &built, None)?;
        let counted = match subject {
            Subject::Single(platform) => count(workshop, platform)?,
            Subject::Parent(_) => None,
        };
        results.add(subject, &transcript, counted.as_deref());
    }
    Ok(())
}

/// What the twin that counts has printed, where something is below the kernel.
///
/// For vmi it has the ROM that takes every call over, since one that leaves a call to the kernel is not called. The parent has no twin: it
/// goes where the images of one platform go.
fn count(workshop: &Workshop, platform: Platform) -> Result<Option<String>> {
    let rom = match platform {
        Platform::Native => return Ok(None),
        Platform::Xen => None,
        Platform::Vmi => Some(RomChoice::Built("call".to_owned())),
    };
    let built = build::counting_kernel(workshop, platform)?;
    run(workshop, Subject::Single(platform), &built, rom).map(Some)
}

/// Has the kernel measure everything, with the usual ROM if none is given; returns what it printed.
fn run(workshop: &Workshop, subject: Subject, built: &Built, rom: Option<RomChoice>) -> Result<String> {
    let image = Image {
        features: vec![subject.configuration().features()],
        release: true,
    };
    let machine = MachineArgs {
        on: Some(subject.platform().into()),
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
    check(subject, &outcome)?;
    Ok(outcome.transcript)
}

/// Refuses what was not measured to the end.
fn check(subject: Subject, outcome: &Outcome) -> Result<()> {
    let complete = outcome.transcript.lines().any(|line| line.trim_end() == DONE);
    let good = complete && matches!(outcome.ending, Ending::Exit(0));
    ensure!(
        good,
        Failure::NoVerdict.error(format!(
            "{}: not measured to the end: {}\n{}",
            subject.name(),
            outcome.ending,
            outcome.transcript
        ))
    );
    Ok(())
}
