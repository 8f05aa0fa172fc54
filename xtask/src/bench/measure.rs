//! Running the benchmarks of one image: the optimised kernel, on a machine that counts instructions.

use super::calls::Counted;
use super::exits::{self, Marks};
use super::results::Results;
use super::subject::Subject;
use crate::build::{self, Built};
use crate::cli::{Image, MachineArgs, Memory, RomChoice};
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::programs;
use crate::qemu::exit::Ending;
use crate::qemu::machine::Extras;
use crate::qemu::session::{Console, Outcome};
use crate::qemu::{self, Prepared};
use crate::setup::Setup;
use crate::workshop::Workshop;
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::BufReader;
use std::thread;
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
        let run = Run::prepare(workshop, subject, &built, subject.rom(), Extras::default())?;
        let (transcript, counted) = match subject {
            Subject::Single(platform) => (run.finish()?, count(workshop, platform)?),
            Subject::Parent(_) => (run.finish()?, Counted::default()),
            Subject::Guest(_) => with_exits(workshop, subject, run)?,
        };
        results.add(subject, &transcript, &counted);
    }
    Ok(())
}

/// What the twin that counts says, where something is below the kernel.
///
/// For vmi it has the ROM that takes every call over, since one that leaves a call to the kernel is not called. The parent has no twin: it
/// goes where the images of one platform go.
fn count(workshop: &Workshop, platform: Platform) -> Result<Counted> {
    let rom = match platform {
        Platform::Native => return Ok(Counted::default()),
        Platform::Xen => None,
        Platform::Vmi => Some(RomChoice::Built("call".to_owned())),
    };
    let built = build::counting_kernel(workshop, platform)?;
    let run = Run::prepare(workshop, Subject::Single(platform), &built, rom, Extras::default())?;
    Ok(Counted::of_calls(&run.finish()?))
}

/// What the run of a guest prints, and what QEMU says of its twin. What the twin itself counts is the same with any ROM, and known from the
/// machine without Xen.
///
/// Both run at once: they take a while, and no figure depends on what else the host does.
fn with_exits(workshop: &Workshop, subject: Subject, run: Run) -> Result<(String, Counted)> {
    let built = build::counting_kernel(workshop, Platform::Vmi)?;
    let folder = tempfile::tempdir().context("no folder for QEMU's log")?;
    let log = folder.path().join("exits");
    let extras = Extras {
        exits: Some(log.clone()),
        ..Extras::default()
    };
    let twin = Run::prepare(workshop, subject, &built, subject.rom(), extras)?;
    let (transcript, of_twin) = thread::scope(|scope| {
        let twin = scope.spawn(|| twin.finish());
        (run.finish(), twin.join().expect("the other machine"))
    });
    let log = File::open(log).context("QEMU has written no log")?;
    let exits = exits::read(&Marks::of(&built.full)?, BufReader::new(log), &of_twin?)?;
    let counted = Counted {
        exits,
        ..Counted::default()
    };
    Ok((transcript?, counted))
}

/// A machine on which a kernel is to measure everything.
struct Run {
    subject: Subject,
    machine: Prepared,
}

impl Run {
    /// One with the usual ROM if none is given.
    fn prepare(
        workshop: &Workshop,
        subject: Subject,
        built: &Built,
        rom: Option<RomChoice>,
        extras: Extras,
    ) -> Result<Self> {
        let image = Image {
            features: vec![subject.configuration().features()],
            release: true,
        };
        let machine = MachineArgs {
            on: Some(subject.place()),
            memory: Some(MEMORY),
            rom,
            ..MachineArgs::default()
        };
        let mut setup = Setup::new(&image, &machine)?;
        setup.module = Some(programs::build(workshop)?);
        let extras = Extras {
            count_instructions: true,
            ..extras
        };
        let machine = qemu::prepare(workshop, &setup, built, ARGUMENTS, &extras)?;
        Ok(Self { subject, machine })
    }

    /// Has it done; returns what was printed, by a hypervisor as well.
    fn finish(self) -> Result<String> {
        let outcome = self.machine.run(Console::Unattended(LIMIT))?;
        check(self.subject, &outcome)?;
        Ok(format!("{}\n{}", outcome.hypervisor, outcome.transcript))
    }
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
