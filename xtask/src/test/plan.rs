//! Which runs prove a platform.

mod machines;

use super::breakage::Breakage;
use super::tampering::{self, Tampering};
use crate::build::Built;
use crate::cli::{Boot, Image, MachineArgs, RomChoice};
use crate::platform::Platform;
use crate::setup::{Around, Setup};
use anyhow::Result;
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
    /// The report of something changed behind the kernel's back.
    Refusal(Tampering),
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

/// The test that takes minutes and is worth them every time; the others that do are left to whoever asks for `test=soak`.
const LONG_TEST: &str = "test=programs-ten-thousand-leave-no-trace";
/// How long it may take.
const LONG_LIMIT: Duration = Duration::from_secs(1500);

/// What a kernel is told that is to get through its start and no further.
const NOTHING_TO_DO: &str = "test=list log=warn";

/// All runs of `platform`: its tests, with `module` loaded beside the kernel, in every way to boot it; a long one, in one
/// way; then what is broken on purpose.
pub fn runs(platform: Platform, release: bool, module: &Path) -> Vec<Planned> {
    let image = image(platform, release);
    let mut runs: Vec<Planned> = machines::tested(platform)
        .iter()
        .filter_map(|machine| tests(&image, machine, module))
        .collect();
    runs.extend(long(&image, &machines::for_long(platform), module));
    for machine in machines::broken(platform) {
        let reports = Breakage::all(platform, release).filter_map(|breakage| report(&image, &machine, breakage));
        runs.extend(reports);
    }
    runs
}

/// The runs in which the kernel `built` for `platform` is changed behind its back, which is for vmi: others change nothing themselves.
///
/// # Errors
/// The kernel does not have what is to be changed.
pub fn refusals(platform: Platform, release: bool, built: &Built) -> Result<Vec<Planned>> {
    if platform != Platform::Vmi {
        return Ok(Vec::new());
    }
    let image = image(platform, release);
    let tamperings = tampering::all(&built.full)?.into_iter();
    tamperings.map(|tampering| refusal(&image, tampering)).collect()
}

/// The image of `platform`.
fn image(platform: Platform, release: bool) -> Image {
    Image {
        features: vec![platform.name().to_owned()],
        release,
    }
}

/// The kernel's tests on one machine, and what it must say about the ROM there.
fn tests(image: &Image, machine: &MachineArgs, module: &Path) -> Option<Planned> {
    let said_of_rom = machine.rom.as_ref().map(|rom| what_is_said_of(rom).to_owned());
    let machine = MachineArgs {
        module: Some(module.to_owned()),
        ..machine.clone()
    };
    let setup = Setup::new(image, &machine).ok()?;
    let (label, limit) = (setup.label(), limit(&setup));
    Some(Planned {
        label,
        setup,
        arguments: "test=all".into(),
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

/// A kernel broken on purpose, on one machine.
fn report(image: &Image, machine: &MachineArgs, breakage: Breakage) -> Option<Planned> {
    let setup = Setup::new(image, machine).ok()?;
    let label = setup.label();
    let arguments = breakage.name().to_owned();
    Some(Planned {
        label,
        limit: limit(&setup),
        setup,
        arguments,
        expected: Expected::Report(breakage),
    })
}

/// A kernel changed behind its back, on the machine where that can be done.
fn refusal(image: &Image, tampering: Tampering) -> Result<Planned> {
    let setup = Setup::new(image, &machines::with_rom(tampering.rom, None))?;
    Ok(Planned {
        label: setup.label(),
        limit: limit(&setup),
        setup,
        arguments: NOTHING_TO_DO.into(),
        expected: Expected::Refusal(tampering),
    })
}

/// What a vmi kernel must print about the ROM it finds: that it was taken, or what is wrong with it.
///
/// The broken ones must not keep it from passing its tests: it goes on with its compiled-in operations.
fn what_is_said_of(rom: &RomChoice) -> &str {
    match rom {
        RomChoice::None => "vmi: no ROM found",
        RomChoice::File(_) => "vmi: ",
        RomChoice::Built(name) => match name.as_str() {
            "native" => "vmi: ROM 'native'",
            "call" => "vmi: ROM 'call'",
            "soft-if" => "vmi: ROM 'soft-if'",
            "bad-checksum" => "bad checksum",
            "wrong-major" => "wrong major",
            "truncated" => "truncated length",
            "stray" => "relocation outside",
            "refuse" => "refuse",
            other => other,
        },
    }
}

/// How long a run on this machine may take.
fn limit(setup: &Setup) -> Duration {
    Duration::from_secs(match &setup.around {
        Around::Machine { boot: Boot::Pvh, .. } => 300,
        Around::Machine { .. } => 420,
        Around::Dom0 | Around::DomU => 480,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planned_machine_makes_sense() {
        for platform in Platform::ALL {
            let mut machines = machines::tested(platform);
            machines.extend(machines::broken(platform));
            machines.push(machines::for_long(platform));
            for machine in machines {
                Setup::new(&image(platform, false), &machine).unwrap();
            }
        }
    }

    #[test]
    fn every_platform_is_tested_with_1_2_4_and_8_cpus() {
        for platform in Platform::ALL {
            let machines = machines::tested(platform);
            for cpus in [1, 2, 4, 8] {
                let tested = machines.iter().any(|machine| machine.smp.unwrap_or(1) == cpus);
                assert!(tested, "{platform} with {cpus} CPUs");
            }
        }
    }

    #[test]
    fn columns_have_different_headings() {
        for platform in Platform::ALL {
            let planned = machines::tested(platform)
                .into_iter()
                .filter_map(|machine| tests(&image(platform, false), &machine, Path::new("Cargo.toml")));
            let mut labels: Vec<String> = planned.map(|planned| planned.label).collect();
            let count = labels.len();
            labels.sort();
            labels.dedup();
            assert_eq!(labels.len(), count, "{labels:?}");
        }
    }

    #[test]
    fn a_vmi_run_must_name_its_rom() {
        let machine = MachineArgs {
            rom: Some(RomChoice::Built("call".into())),
            ..Default::default()
        };
        let Expected::Tests { said_of_rom } = tests(&image(Platform::Vmi, false), &machine, Path::new("Cargo.toml"))
            .unwrap()
            .expected
        else {
            panic!()
        };
        assert_eq!(said_of_rom.as_deref(), Some("vmi: ROM 'call'"));
    }
}
