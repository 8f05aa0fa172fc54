//! One way to bring an image up: the platform, and the machine around it.
//!
//! The command line lets one type combinations that make no sense, such as an option ROM under Xen. They are sorted out
//! here, once: a [`Setup`] that exists can be started, and the rest of the tool matches on [`Around`] without asking
//! "what if".

use crate::cli::{Boot, Domain, Image, Machine, MachineArgs, Memory, RomChoice};
use crate::failure::Failure;
use crate::platform::Platform;
use anyhow::{Result, ensure};
use std::fmt;
use std::path::PathBuf;

/// An image and the machine it is to boot on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// What the kernel is compiled for.
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
    /// The Xen hypervisor, as its first domain.
    Dom0,
    /// The Xen hypervisor and a Linux dom0 whose `xl` creates the domain.
    DomU,
}

impl Setup {
    /// What `image` and `machine` on the command line ask for together.
    ///
    /// # Errors
    /// The combination makes no sense; the message says which option belongs to which platform.
    pub fn new(image: &Image, machine: &MachineArgs) -> Result<Self> {
        let platform = Platform::only(&image.platform)?;
        let around = match platform {
            Platform::Native | Platform::Vmi => own_machine(platform, machine)?,
            Platform::Xen => domain(machine)?,
        };
        if let Some(module) = &machine.module {
            ensure!(
                module.is_file(),
                Failure::Usage.error(format!("there is no file {}", module.display()))
            );
        }
        let (module, smp, memory) = (machine.module.clone(), machine.smp, machine.memory);
        Ok(Self {
            platform,
            release: image.release,
            around,
            module,
            smp,
            memory,
        })
    }

    /// The setup in a word or two, as the column of a table: `pvh`, `dom0`, `soft-if`.
    pub fn label(&self) -> String {
        let machine = match &self.around {
            Around::Dom0 => "dom0".into(),
            Around::DomU => "domU".into(),
            Around::Machine { boot, machine, rom } => machine_label(self.platform, *boot, *machine, rom),
        };
        match self.smp {
            Some(cpus) if cpus > 1 => format!("{machine} ×{cpus}"),
            _ => machine,
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.platform, self.label())
    }
}

/// What differs from the usual machine; under vmi always the ROM as well.
fn machine_label(platform: Platform, boot: Boot, machine: Machine, rom: &RomChoice) -> String {
    let mut words = Vec::new();
    if platform == Platform::Vmi {
        words.push(match rom {
            RomChoice::None => "no ROM".to_owned(),
            RomChoice::Built(name) => name.clone(),
            RomChoice::File(path) => path
                .file_stem()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned(),
        });
    }
    match machine {
        Machine::Pc => {}
        Machine::Q35 => words.push("q35".into()),
        Machine::Microvm => words.push("microvm".into()),
    }
    match boot {
        Boot::Pvh if words.is_empty() => words.push("pvh".into()),
        Boot::Pvh => {}
        Boot::Bios => words.push("bios".into()),
        Boot::Uefi => words.push("uefi".into()),
    }
    words.join(" ")
}

/// The machine of a kernel that has one to itself.
fn own_machine(platform: Platform, asked: &MachineArgs) -> Result<Around> {
    let refuse = |why: &str| Failure::Usage.error(format!("{why} (the platform is {platform})"));
    ensure!(asked.domain.is_none(), refuse("`--as` is for the platform xen"));
    ensure!(
        asked.rom.is_none() || platform == Platform::Vmi,
        refuse("`--rom` is for the platform vmi")
    );
    let boot = asked.boot.unwrap_or_default();
    let machine = asked.machine.unwrap_or_default();
    ensure!(
        boot == Boot::Pvh || machine != Machine::Microvm,
        refuse("the microvm has no disk and no firmware: it boots by `--boot pvh` only")
    );
    let rom = match (platform, &asked.rom) {
        (_, Some(rom)) => rom.clone(),
        (Platform::Vmi, None) => RomChoice::Built("native".into()),
        _ => RomChoice::None,
    };
    Ok(Around::Machine { boot, machine, rom })
}

/// The domain of a Xen kernel.
fn domain(asked: &MachineArgs) -> Result<Around> {
    let refuse =
        |option: &str| Failure::Usage.error(format!("`{option}` is for the platforms native and vmi, not xen"));
    ensure!(asked.boot.is_none(), refuse("--boot"));
    ensure!(asked.machine.is_none(), refuse("--machine"));
    ensure!(asked.rom.is_none(), refuse("--rom"));
    Ok(match asked.domain {
        None | Some(Domain::Dom0) => Around::Dom0,
        Some(Domain::Domu) => Around::DomU,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(platform: &str) -> Image {
        Image {
            platform: vec![platform.into()],
            release: false,
        }
    }

    fn label(platform: &str, machine: MachineArgs) -> String {
        Setup::new(&image(platform), &machine).unwrap().to_string()
    }

    #[test]
    fn labels_say_what_is_special() {
        assert_eq!(label("native", MachineArgs::default()), "native pvh");
        assert_eq!(
            label(
                "native",
                MachineArgs {
                    machine: Some(Machine::Q35),
                    ..Default::default()
                }
            ),
            "native q35"
        );
        assert_eq!(label("vmi", MachineArgs::default()), "vmi native");
        assert_eq!(
            label(
                "vmi",
                MachineArgs {
                    rom: Some(RomChoice::None),
                    ..Default::default()
                }
            ),
            "vmi no ROM"
        );
        assert_eq!(
            label(
                "xen",
                MachineArgs {
                    domain: Some(Domain::Domu),
                    ..Default::default()
                }
            ),
            "xen domU"
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let refused = [
            (
                "native",
                MachineArgs {
                    rom: Some(RomChoice::None),
                    ..Default::default()
                },
            ),
            (
                "native",
                MachineArgs {
                    domain: Some(Domain::Dom0),
                    ..Default::default()
                },
            ),
            (
                "xen",
                MachineArgs {
                    boot: Some(Boot::Pvh),
                    ..Default::default()
                },
            ),
            (
                "xen",
                MachineArgs {
                    machine: Some(Machine::Pc),
                    ..Default::default()
                },
            ),
            (
                "xen",
                MachineArgs {
                    rom: Some(RomChoice::None),
                    ..Default::default()
                },
            ),
            (
                "vmi",
                MachineArgs {
                    boot: Some(Boot::Bios),
                    machine: Some(Machine::Microvm),
                    ..Default::default()
                },
            ),
        ];
        for (platform, machine) in refused {
            let error = Setup::new(&image(platform), &machine).unwrap_err();
            assert_eq!(Failure::of(&error), Failure::Usage, "{error}");
        }
    }
}
