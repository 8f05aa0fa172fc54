//! Which runs prove an image.

mod machines;

use super::breakage::Breakage;
use super::broken_tables::{self, BrokenTable};
use super::insistence::Insistence;
use super::tampering::{self, Tampering};
use crate::build::Built;
use crate::cli::{Boot, Image, MachineArgs, On, RomChoice};
use crate::configuration::Configuration;
use crate::platform::Platform;
use crate::rom;
use crate::setup::{Around, Setup};
use anyhow::Result;
use machines::Machines;
use std::path::Path;
use std::time::Duration;

/// What a run must show.
#[derive(Debug)]
pub enum Expected {
    /// The kernel's whole list of tests.
    Tests {
        /// What it must print about the option ROM.
        said_of_rom: Option<String>,
    },
    /// The report of something broken on purpose.
    Report(Breakage),
    /// What is to be done about another platform than there is.
    Insistence(Insistence),
    /// The report of something changed behind the kernel's back.
    Refusal(Tampering),
    /// The report of a table that cannot be followed.
    BrokenTable(BrokenTable),
}

/// One run.
#[derive(Debug)]
pub struct Planned {
    /// The column's heading.
    pub label: String,
    /// Image and machine.
    pub setup: Setup,
    /// What the kernel is told.
    pub arguments: String,
    /// How long it may take. Generous: a run takes a minute at the most, but several may share two slow cores.
    pub limit: Duration,
    /// What it must show.
    pub expected: Expected,
}

/// All tests that do not take minutes.
const ALL: &str = "test=all";
/// The same, where the log shall tell how a ROM has answered.
const ALL_WITH_ANSWERS: &str = "test=all log=debug";

/// The test that takes minutes and is worth them every time; the others that do are left to whoever asks for `test=soak`.
const LONG_TEST: &str = "test=programs-ten-thousand-leave-no-trace";
/// How long it may take.
const LONG_LIMIT: Duration = Duration::from_secs(1500);

/// What a kernel is told that is to get through its start and no further.
const NOTHING_TO_DO: &str = "test=list";
/// The same, with what goes wrong in the log and nothing else.
const IN_SILENCE: &str = "test=list log=warn";

/// An image, and where it has to prove itself.
#[derive(Debug)]
pub struct Plan {
    /// The image.
    pub configuration: Configuration,
    machines: Machines,
}

impl Plan {
    /// The plan for an image of this configuration; if it is the parent with all its children, also those for each two of them,
    /// which have to show no more than that they do without the third.
    pub fn all(configuration: Configuration) -> Vec<Self> {
        let mut images = configuration.and_pairs().into_iter();
        let asked = images.next().map(|asked| (Machines::of(&asked), asked));
        let pairs = images.map(|pair| (Machines::plain(&pair), pair));
        let plans = asked.into_iter().chain(pairs);
        plans
            .map(|(machines, configuration)| Self {
                configuration,
                machines,
            })
            .collect()
    }

    /// All runs: the tests, with `module` loaded beside the kernel, in every way to boot it; a long one, in one way; then what is broken
    /// on purpose; and for an image of several, on each of its platforms, that it is to be on another.
    pub fn runs(&self, release: bool, module: &Path) -> Vec<Planned> {
        let image = self.image(release);
        let tested = self.machines.tested.iter();
        let mut runs: Vec<Planned> = tested.filter_map(|machine| tests(&image, machine, module)).collect();
        runs.extend(
            self.machines
                .long
                .iter()
                .filter_map(|machine| long(&image, machine, module)),
        );
        runs.extend(self.machines.broken.iter().flat_map(|machine| reports(&image, machine)));
        runs.extend(
            self.machines
                .broken
                .iter()
                .filter_map(|machine| insistence(&image, machine)),
        );
        runs
    }

    /// Whether the image is for one platform alone, and that is the one of ROMs.
    pub fn is_about_roms(&self) -> bool {
        matches!(self.configuration, Configuration::Single(Platform::Vmi))
    }

    /// The kernel's tests, with `module` loaded beside it, and with the ROM `rom` in its usual machine.
    pub fn with_rom(&self, release: bool, module: &Path, rom: RomChoice) -> Option<Planned> {
        let machine = MachineArgs {
            rom: Some(rom),
            ..MachineArgs::default()
        };
        tests(&self.image(release), &machine, module)
    }

    /// The runs in which the kernel `built` is changed behind its back, or its file was: for kernels that change themselves.
    ///
    /// # Errors
    /// The kernel does not have what is to be changed.
    pub fn refusals(&self, release: bool, built: &Built) -> Result<Vec<Planned>> {
        let image = self.image(release);
        match self.configuration {
            Configuration::Single(Platform::Vmi) => {
                let tamperings = tampering::after_takeover(&built.full)?.into_iter();
                tamperings.map(|tampering| tampered(&image, tampering)).collect()
            }
            Configuration::Single(_) => Ok(Vec::new()),
            Configuration::Paravirt(_) => {
                let under_xen = |machine: &&MachineArgs| machine.on == Some(On::Xen);
                let machine = self.machines.broken.iter().find(under_xen);
                machine.map_or(Ok(Vec::new()), |machine| unpatchable(&image, machine, built))
            }
        }
    }

    fn image(&self, release: bool) -> Image {
        Image {
            features: vec![self.configuration.features()],
            release,
        }
    }
}

/// The kernel's tests on one machine, and what it must say about the ROM there.
fn tests(image: &Image, machine: &MachineArgs, module: &Path) -> Option<Planned> {
    let said_of_rom = machine.rom.as_ref().map(|rom| what_is_said_of(rom, machine.on));
    let machine = MachineArgs {
        module: Some(module.to_owned()),
        ..machine.clone()
    };
    let setup = Setup::new(image, &machine).ok()?;
    let (label, limit) = (setup.label(), limit(&setup));
    Some(Planned {
        label,
        setup,
        arguments: if said_of_rom.is_some() { ALL_WITH_ANSWERS } else { ALL }.into(),
        limit,
        expected: Expected::Tests { said_of_rom },
    })
}

/// The long test, on one machine.
fn long(image: &Image, machine: &MachineArgs, module: &Path) -> Option<Planned> {
    let usual = tests(image, machine, module)?;
    Some(Planned {
        label: format!("{} long", usual.label),
        arguments: LONG_TEST.into(),
        limit: LONG_LIMIT,
        ..usual
    })
}

/// A kernel broken on purpose, on one machine, in every way that it notices there.
fn reports(image: &Image, machine: &MachineArgs) -> Vec<Planned> {
    let Ok(setup) = Setup::new(image, machine) else {
        return Vec::new();
    };
    let broken = |breakage: Breakage| Planned {
        label: setup.label(),
        setup: setup.clone(),
        arguments: breakage.name().to_owned(),
        limit: limit(&setup),
        expected: Expected::Report(breakage),
    };
    Breakage::all(setup.platform, image.release).map(broken).collect()
}

/// A kernel that is told to be on another platform than it is on `machine`, if that is a machine for one of several.
fn insistence(image: &Image, machine: &MachineArgs) -> Option<Planned> {
    machine.on?;
    let setup = Setup::new(image, machine).ok()?;
    let asked = Insistence::on(setup.platform);
    Some(Planned {
        label: setup.label(),
        arguments: format!("{} {NOTHING_TO_DO}", asked.name()),
        limit: limit(&setup),
        setup,
        expected: Expected::Insistence(asked),
    })
}

/// A kernel changed behind its back, on the machine where that can be done.
fn tampered(image: &Image, tampering: Tampering) -> Result<Planned> {
    let machine = tampering.machine.clone();
    refusal(image, &machine, Expected::Refusal(tampering))
}

/// The kernel `built`, which is patched on `machine`, with every table by which that cannot be done, and changed after it was done.
fn unpatchable(image: &Image, machine: &MachineArgs, built: &Built) -> Result<Vec<Planned>> {
    let broken = broken_tables::all(&built.stripped)?.into_iter();
    let broken = broken.map(|broken| refusal(image, machine, Expected::BrokenTable(broken)));
    let tampering = tampering::after_patching(&built.full)?.into_iter();
    broken
        .chain(tampering.map(|tampering| tampered(image, tampering)))
        .collect()
}

/// A kernel that must not get through its start on `machine`.
fn refusal(image: &Image, machine: &MachineArgs, expected: Expected) -> Result<Planned> {
    let setup = Setup::new(image, machine)?;
    Ok(Planned {
        label: setup.label(),
        limit: limit(&setup),
        setup,
        arguments: IN_SILENCE.into(),
        expected,
    })
}

/// What the kernel must print as vmi about the ROM it finds where it is booted `on`: that it was taken, or what is wrong with it.
///
/// The broken ones must not keep it from passing its tests: it goes on with its compiled-in operations.
fn what_is_said_of(rom: &RomChoice, on: Option<On>) -> String {
    let taken = |name: &str| format!("vmi: ROM '{name}'");
    match rom {
        RomChoice::None => "vmi: no ROM found".to_owned(),
        RomChoice::File(_) => "vmi: ".to_owned(),
        RomChoice::Crate(folder) => taken(&rom::crate_name(folder).unwrap_or_default()),
        RomChoice::Built(name) => match name.as_str() {
            "bad-checksum" => "bad checksum".to_owned(),
            "wrong-major" => "wrong major".to_owned(),
            "truncated" => "truncated length".to_owned(),
            "stray" => "relocation outside".to_owned(),
            "refuse" => "refuse".to_owned(),
            rom::XEN if !matches!(on, Some(On::Xen | On::XenDomu)) => {
                "it refuses Init: no hypervisor beneath".to_owned()
            }
            good => taken(good),
        },
    }
}

/// How long a run on this machine may take.
fn limit(setup: &Setup) -> Duration {
    Duration::from_secs(match &setup.around {
        Around::Machine { boot: Boot::Pvh, .. } => 300,
        Around::Machine { .. } => 420,
        Around::Xen { .. } => 480,
    })
}

#[cfg(test)]
mod tests;
