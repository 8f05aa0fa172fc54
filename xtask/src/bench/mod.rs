//! `bench`: what each operation costs on each platform, in instructions.
//!
//! Under QEMU's `-icount shift=0` one instruction takes one nanosecond of the machine's time, the hypervisor's included, so the
//! kernel's own cycle counter counts instructions, and a figure is the same on any host. That makes figures something to
//! commit and to compare: with the bars that the project has set itself, and with what they were before.

mod bars;
mod compare;
mod figures;
mod page;
mod store;
mod table;

use crate::build;
use crate::cli::{Bench, Image, MachineArgs, Memory};
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
use figures::Figure;
use std::time::Duration;

/// What the kernel is told.
const ARGUMENTS: &str = "bench=all log=warn";
/// The kernel's last word when everything was measured.
const DONE: &str = "benches: done";
/// Memory in MiB, the same for all.
const MEMORY: Memory = Memory(512);
/// How long a machine may take.
const LIMIT: Duration = Duration::from_secs(300);
/// The exit status when a bar is missed, or something became dearer.
const MISSED: u8 = 1;

/// Measures and shows; returns the exit status.
///
/// # Errors
/// A kernel could not be built, did not end well, or a file cannot be read or written.
pub fn run(workshop: &Workshop, asked: &Bench) -> Result<u8> {
    let before = asked.compare.as_deref().map(store::read).transpose()?;
    let mut figures = Vec::new();
    for platform in platforms(asked)? {
        figures.extend(measure(workshop, platform)?);
    }
    if asked.json {
        print!("{}", store::text(&figures)?);
    } else {
        print!("{}", table::render(&figures));
    }
    if asked.save {
        ensure!(
            asked.platforms.is_empty(),
            Failure::Usage.error("figures are saved of all platforms together")
        );
        store::write(&workshop.paths.root, &figures)?;
        page::write(&workshop.paths.root, &figures)?;
    }
    let mut complaints = bars::missed(&figures);
    complaints.extend(before.iter().flat_map(|before| compare::losses(before, &figures)));
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    Ok(if complaints.is_empty() { 0 } else { MISSED })
}

/// The platforms asked for, all if none.
fn platforms(asked: &Bench) -> Result<Vec<Platform>> {
    let asked = Platform::several(&asked.platforms)?;
    Ok(if asked.is_empty() {
        Platform::ALL.to_vec()
    } else {
        asked
    })
}

/// Runs the optimised kernel of one platform on a machine that counts instructions.
fn measure(workshop: &Workshop, platform: Platform) -> Result<Vec<Figure>> {
    let image = Image {
        platform: vec![platform.name().to_owned()],
        release: true,
    };
    let machine = MachineArgs {
        memory: Some(MEMORY),
        ..MachineArgs::default()
    };
    let mut setup = Setup::new(&image, &machine)?;
    let built = build::kernel(workshop, platform, true)?;
    setup.module = Some(programs::build(workshop)?);
    let extras = Extras {
        debugger: None,
        count_instructions: true,
        ..Extras::default()
    };
    let machine = qemu::prepare(workshop, &setup, &built, ARGUMENTS, &extras)?;
    let outcome = machine.run(Console::Unattended(LIMIT))?;
    check(platform, &outcome)?;
    Ok(figures::read(platform.name(), &outcome.transcript))
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
