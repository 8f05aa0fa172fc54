//! QEMU as the computer that everything runs on.
//!
//! Always the software emulator: hardware acceleration is missing in most places where tests run, differs where it is
//! there, and does not repeat to the digit. [`machine`] says with which arguments, [`session`] runs one machine,
//! [`debugger`] looks into one that runs and changes it, and [`exit`] reads its end.

pub mod debugger;
pub mod desk;
pub mod events;
pub mod exit;
pub mod lines;
pub mod machine;
pub mod session;
pub mod socket;

use crate::build::Built;
use crate::cli::{Boot, Domain, RomChoice};
use crate::console::annotating;
use crate::domu;
use crate::fetch::need::{OVMF, QEMU};
use crate::image;
use crate::rom;
use crate::setup::{Around, Guest, Setup};
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use lines::Lines;
use machine::{Extras, Payload};
use session::{Console, Outcome};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where the libraries of an unpacked QEMU keep firmware, below the root of the file tree.
const FIRMWARE: [&str; 3] = ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"];
/// A guest's memory under a Linux dom0 if none is asked for, in MiB.
const GUEST_MEMORY: u32 = 64;

/// A machine ready to be started.
#[derive(Debug)]
pub struct Prepared {
    qemu: Command,
    image: PathBuf,
    root: PathBuf,
    /// Holds the files of this run.
    _scratch: TempDir,
    /// The machine's serial lines.
    lines: Lines,
    /// What the host around the kernel says about itself, if there is one.
    host_log: Option<PathBuf>,
    /// What is booted on what.
    pub sentence: String,
    /// The SHA-256 of the kernel's file, in hexadecimal digits.
    kernel: String,
}

impl Prepared {
    /// Runs the machine to its end.
    ///
    /// # Errors
    /// QEMU cannot be started. A machine that ends badly is no error: see [`Outcome::ending`].
    pub fn run(self, console: Console) -> Result<Outcome> {
        let mut outcome = session::run(self.qemu, console, self.lines, &self.image, &self.root)?;
        let of_log = self.host_log.and_then(|log| host_remark(&outcome.ending, &log));
        let remark = of_log.or_else(|| last_words(&outcome.ending, &outcome.hypervisor));
        outcome.kernel = self.kernel;
        outcome.remark = remark.map(|text| {
            let named = annotating(&self.image, &self.root).push(text.as_bytes());
            String::from_utf8_lossy(&named).into_owned()
        });
        Ok(outcome)
    }
}

/// Fetches and assembles what `setup` needs to boot `built` with the kernel arguments `arguments`.
///
/// # Errors
/// Something is missing, or a file of this run cannot be made.
pub fn prepare(
    workshop: &Workshop,
    setup: &Setup,
    built: &Built,
    arguments: &str,
    extras: &Extras,
) -> Result<Prepared> {
    let scratch = tempfile::tempdir().context("no folder for the files of this run")?;
    let mut qemu = emulator(workshop)?;
    qemu.args(machine::COMMON).args(extras.arguments());
    let payload = Payload {
        kernel: &built.stripped,
        arguments,
        module: setup.module.as_deref(),
    };
    let (mut host_log, mut lines, mut hypervisor) = (None, Lines::One, String::new());
    match &setup.around {
        Around::Machine { boot, machine, rom } => {
            qemu.args(machine::own(*machine, setup))
                .args(rom_arguments(workshop, rom)?);
            qemu.args(loader(workshop, *boot, &payload, scratch.path())?);
        }
        Around::Xen {
            domain: Domain::Dom0,
            guest,
        } => {
            let xen = domu::hypervisor(&workshop.paths.cache)?;
            hypervisor = domu::version(&xen);
            match guest {
                Guest::Pv => qemu.args(machine::dom0(&xen, &payload, setup)),
                Guest::Pvh { rom } => {
                    lines = Lines::of_pvh_dom0(rom);
                    qemu.args(machine::pvh_dom0(&xen, &payload, setup))
                        .args(rom_arguments(workshop, rom)?)
                }
            };
        }
        Around::Xen {
            domain: Domain::Domu,
            guest,
        } => {
            let host = xen_host(workshop, setup, guest, &payload, scratch.path())?;
            qemu.args(host.arguments);
            host_log = Some(host.log);
            hypervisor = domu::version(&host.hypervisor);
        }
    }
    let (image, root) = (built.full.clone(), workshop.paths.root.clone());
    Ok(Prepared {
        qemu,
        image,
        root,
        _scratch: scratch,
        lines,
        host_log,
        sentence: setup.sentence(&hypervisor),
        kernel: digest(&built.stripped)?,
    })
}

/// The SHA-256 of a file, in hexadecimal digits.
fn digest(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Who loads the kernel on a machine of its own.
fn loader(workshop: &Workshop, boot: Boot, payload: &Payload<'_>, scratch: &Path) -> Result<Vec<OsString>> {
    if boot == Boot::Pvh {
        return Ok(machine::direct(payload));
    }
    let disk = image::for_run(workshop, boot, payload, scratch)?;
    Ok(machine::from_disk(&disk, firmware(workshop, boot)?.as_deref()))
}

/// Xen with a Linux dom0, made ready to create the guest.
fn xen_host(
    workshop: &Workshop,
    setup: &Setup,
    guest: &Guest,
    payload: &Payload<'_>,
    scratch: &Path,
) -> Result<domu::Host> {
    let rom = match guest {
        Guest::Pv => None,
        Guest::Pvh { rom } => rom::file(workshop, rom)?,
    };
    let kind = match guest {
        Guest::Pv => domu::Kind::Pv,
        Guest::Pvh { .. } => domu::Kind::Pvh { rom: rom.as_deref() },
    };
    let memory = setup.memory.map_or(GUEST_MEMORY, |memory| memory.0);
    let Payload {
        kernel,
        arguments,
        module,
    } = *payload;
    let guest = domu::Guest {
        kernel,
        arguments,
        memory,
        cpus: setup.smp.unwrap_or(1),
        module,
        kind,
    };
    domu::prepare(&workshop.paths.cache, scratch, &guest)
}

/// QEMU, with the folders of its firmware if it was unpacked into the cache.
fn emulator(workshop: &Workshop) -> Result<Command> {
    let found = workshop.provider.provide(&QEMU)?;
    let mut qemu = found.command();
    for folder in found
        .unpacked
        .iter()
        .flat_map(|root| FIRMWARE.map(|folder| root.join(folder)))
    {
        qemu.arg("-L").arg(folder);
    }
    Ok(qemu)
}

/// The firmware file that `boot` needs beside QEMU's own.
fn firmware(workshop: &Workshop, boot: Boot) -> Result<Option<PathBuf>> {
    (boot == Boot::Uefi)
        .then(|| workshop.provider.provide(&OVMF).map(|found| found.path))
        .transpose()
}

/// The option ROM of the machine.
fn rom_arguments(workshop: &Workshop, rom: &RomChoice) -> Result<Vec<OsString>> {
    let file = rom::file(workshop, rom)?;
    Ok(file.map_or(Vec::new(), |file| vec!["-option-rom".into(), file.into()]))
}

/// What the hypervisor adds to how a kernel ended that it was beneath: its last words, if the end was not the kernel's wish.
fn last_words(ending: &exit::Ending, hypervisor: &str) -> Option<String> {
    match ending {
        exit::Ending::Exit(_) | exit::Ending::PowerOff | exit::Ending::Reboot | exit::Ending::Left => None,
        exit::Ending::Reset | exit::Ending::Failed(_) | exit::Ending::TimedOut(_) => {
            (!hypervisor.is_empty()).then(|| {
                format!(
                    "the hypervisor's last words:\n{}",
                    domu::verdict::telling_lines(hypervisor)
                )
            })
        }
    }
}

/// What the log of the Xen host adds to how the guest ended.
fn host_remark(ending: &exit::Ending, log: &Path) -> Option<String> {
    match ending {
        exit::Ending::Exit(status) => domu::verdict::explain(*status, log),
        exit::Ending::PowerOff | exit::Ending::Reboot | exit::Ending::Left => None,
        exit::Ending::Reset | exit::Ending::Failed(_) | exit::Ending::TimedOut(_) => {
            Some(format!("the Xen host's last words:\n{}", domu::verdict::reasons(log)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::exit::Ending;
    use super::*;

    #[test]
    fn a_hypervisor_is_heard_only_if_the_kernel_has_not_decided() {
        let said = "(XEN) Domain 0 crashed: rebooting machine in 5 seconds.\n";
        let remark = last_words(&Ending::Reset, said).unwrap();
        assert!(remark.ends_with("  (XEN) Domain 0 crashed: rebooting machine in 5 seconds.\n"));
        assert_eq!(
            last_words(&Ending::Reset, ""),
            None,
            "no hypervisor with a line of its own"
        );
        for wish in [Ending::Exit(1), Ending::PowerOff, Ending::Reboot] {
            assert_eq!(last_words(&wish, said), None);
        }
    }
}
