//! One way to bring an image up: what it is compiled for, the platform it is to find, and the machine around it.
//!
//! The command line lets one type combinations that make no sense, such as a disk image under Xen. They are sorted out
//! here, once: a [`Setup`] that exists can be started, and the rest of the tool matches on [`Around`] without asking
//! "what if".

mod words;

use crate::cli::{Boot, Domain, Image, Machine, MachineArgs, Memory, On, RomChoice};
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::platform::Platform;
use anyhow::{Result, ensure};
use std::path::PathBuf;

/// An image and the machine it is to boot on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// What the kernel is compiled for.
    pub configuration: Configuration,
    /// The one of its platforms that it finds.
    pub platform: Platform,
    /// Whether it is the optimised image.
    pub release: bool,
    /// Where it boots.
    pub around: Around,
    /// A file that is loaded beside the kernel.
    pub module: Option<PathBuf>,
    /// Number of CPUs, if not the default.
    pub smp: Option<u32>,
    /// Memory, if not the default.
    pub memory: Option<Memory>,
}

/// What the kernel finds around itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Around {
    /// A machine of its own (native, vmi).
    Machine {
        /// Who loads the kernel.
        boot: Boot,
        /// What QEMU emulates.
        machine: Machine,
        /// The option ROM beside those of the firmware.
        rom: RomChoice,
    },
    /// The Xen hypervisor.
    Xen {
        /// As its first domain, or as one that the `xl` of a Linux dom0 creates.
        domain: Domain,
        /// What Xen makes of the processor for it.
        guest: Guest,
    },
}

/// The two kinds of guests that Xen has for a kernel without firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guest {
    /// In ring 3, on Xen's own terms (xen).
    Pv,
    /// In ring 0 of a processor that the hardware shares out (native, vmi): what remains of a PC when its devices are left out.
    Pvh {
        /// The option ROM: in the machine's memory for dom0, in front of the boot module for a domU.
        rom: RomChoice,
    },
}

impl Setup {
    /// What `image` and `machine` on the command line ask for together.
    ///
    /// # Errors
    /// The combination makes no sense; the message says which option belongs to which platform.
    pub fn new(image: &Image, machine: &MachineArgs) -> Result<Self> {
        let configuration = Configuration::only(&image.features)?;
        let (platform, around) = match domain(&configuration, machine)? {
            None => own_machine(&configuration, machine)?,
            Some(domain) => guest(&configuration, domain, machine)?,
        };
        if let Some(module) = &machine.module {
            ensure!(
                module.is_file(),
                Failure::Usage.error(format!("there is no file {}", module.display()))
            );
        }
        let (module, smp, memory) = (machine.module.clone(), machine.smp, machine.memory);
        Ok(Self {
            configuration,
            platform,
            release: image.release,
            around,
            module,
            smp,
            memory,
        })
    }

    /// The option ROM that the kernel can find, where one is looked for.
    pub fn rom(&self) -> Option<&RomChoice> {
        let (Around::Machine { rom, .. }
        | Around::Xen {
            guest: Guest::Pvh { rom },
            ..
        }) = &self.around
        else {
            return None;
        };
        Some(rom).filter(|_| self.platform == Platform::Vmi)
    }

    /// The ROM and where it is, without the rest of the machine: `native`, `xen, PVH dom0`.
    pub fn rom_and_place(&self) -> String {
        let rom = self.rom().map(words::rom_name).unwrap_or_default();
        match &self.around {
            Around::Machine { .. } => rom,
            Around::Xen {
                domain: Domain::Dom0, ..
            } => format!("{rom}, PVH dom0"),
            Around::Xen {
                domain: Domain::Domu, ..
            } => format!("{rom}, PVH domU"),
        }
    }
}

/// Checks that an image can be `on`, which is one of its platforms.
///
/// # Errors
/// It is for others only; the message says what to type.
pub fn ensure_for(configuration: &Configuration, on: Platform) -> Result<()> {
    let own: Vec<_> = configuration.platforms().iter().map(|own| own.name()).collect();
    let (own, with_it) = (own.join(" and "), configuration.features_with(on));
    ensure!(
        configuration.platforms().contains(&on),
        Failure::Usage.error(format!(
            "`--on {on}`: the image is for {own} only; type `--features {on}`, or `--features {with_it} --on {on}` for one image of all"
        ))
    );
    Ok(())
}

/// As which domain of Xen's an image is to run, if beneath Xen.
fn domain(configuration: &Configuration, asked: &MachineArgs) -> Result<Option<Domain>> {
    let under_xen = match asked.on {
        Some(On::Xen | On::XenDomu) => true,
        Some(On::Native | On::Vmi) => false,
        None => configuration.usual_platform() == Platform::Xen,
    };
    match (asked.on, asked.domain) {
        (Some(On::XenDomu), Some(Domain::Dom0)) => Err(Failure::Usage.error(
            "`--on xen-domu` and `--as dom0` contradict each other; type `--on xen` for dom0, `--on xen-domu` for a domU",
        )),
        (Some(On::XenDomu), _) => Ok(Some(Domain::Domu)),
        (_, Some(_)) if !under_xen => Err(Failure::Usage.error(
            "`--as` is for domains of Xen's; type `--on xen` for dom0, `--on xen-domu` for a domU",
        )),
        (_, domain) => Ok(under_xen.then(|| domain.unwrap_or(Domain::Dom0))),
    }
}

/// How to choose vmi for an image that is for it as well as for others; nothing for any other image.
fn way_to_vmi(configuration: &Configuration) -> &'static str {
    if configuration.platforms().contains(&Platform::Vmi) {
        "; `--on vmi` chooses it"
    } else {
        ""
    }
}

/// The ROM for an image that runs as `platform`.
fn rom(configuration: &Configuration, platform: Platform, asked: &MachineArgs) -> Result<RomChoice> {
    match (platform, &asked.rom) {
        (Platform::Vmi, Some(rom)) => Ok(rom.clone()),
        (Platform::Vmi, None) if domain(configuration, asked)?.is_some() => {
            Ok(RomChoice::Built(crate::rom::XEN.into()))
        }
        (Platform::Vmi, None) => Ok(RomChoice::Built("native".into())),
        (_, None) => Ok(RomChoice::None),
        (_, Some(_)) => Err(Failure::Usage.error(format!(
            "`--rom` is for the platform vmi{} (the platform is {platform})",
            way_to_vmi(configuration)
        ))),
    }
}

/// The machine of a kernel that has one to itself, and what it is there.
fn own_machine(configuration: &Configuration, asked: &MachineArgs) -> Result<(Platform, Around)> {
    let platform = match asked.on {
        Some(On::Native) => Platform::Native,
        Some(On::Vmi) => Platform::Vmi,
        Some(On::Xen | On::XenDomu) | None => configuration.usual_platform(),
    };
    ensure_for(configuration, platform)?;
    let boot = asked.boot.unwrap_or_default();
    let machine = asked.machine.unwrap_or_default();
    ensure!(
        boot == Boot::Pvh || machine != Machine::Microvm,
        Failure::Usage.error("the microvm has no disk and no firmware: it boots by `--boot pvh` only")
    );
    let rom = rom(configuration, platform, asked)?;
    Ok((platform, Around::Machine { boot, machine, rom }))
}

/// The guest that an image is as `domain`, and as which of its platforms: PV if it can be.
fn guest(configuration: &Configuration, domain: Domain, asked: &MachineArgs) -> Result<(Platform, Around)> {
    let refuse = |option: &str| {
        Failure::Usage.error(format!(
            "`{option}` is for a machine without Xen, where the platform is native or vmi: beneath Xen leave it out"
        ))
    };
    ensure!(asked.boot.is_none(), refuse("--boot"));
    ensure!(asked.machine.is_none(), refuse("--machine"));
    let by_kind = [Platform::Xen, Platform::Vmi];
    let found = by_kind.into_iter().find(|one| configuration.platforms().contains(one));
    let platform = found.unwrap_or(Platform::Native);
    let rom = rom(configuration, platform, asked)?;
    let guest = match platform {
        Platform::Xen => Guest::Pv,
        Platform::Native | Platform::Vmi => Guest::Pvh { rom },
    };
    Ok((platform, Around::Xen { domain, guest }))
}

#[cfg(test)]
mod tests;
