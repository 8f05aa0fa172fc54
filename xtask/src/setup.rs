//! One way to bring an image up: what it is compiled for, the platform it is to find, and the machine around it.
//!
//! The command line lets one type combinations that make no sense, such as an option ROM under Xen. They are sorted out
//! here, once: a [`Setup`] that exists can be started, and the rest of the tool matches on [`Around`] without asking
//! "what if".

use crate::cli::{Boot, Domain, Image, Machine, MachineArgs, Memory, RomChoice};
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::platform::Platform;
use anyhow::{Result, ensure};
use std::fmt;
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
        let configuration = Configuration::only(&image.features)?;
        let platform = platform(&configuration, machine.on)?;
        let around = match platform {
            Platform::Native | Platform::Vmi => own_machine(&configuration, platform, machine)?,
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
            configuration,
            platform,
            release: image.release,
            around,
            module,
            smp,
            memory,
        })
    }

    /// The machine in a word or two, as the column of a table: `pvh`, `dom0`, `soft-if`; with its platform if the image has several.
    pub fn label(&self) -> String {
        let machine = match &self.around {
            Around::Dom0 => "dom0".into(),
            Around::DomU => "domU".into(),
            Around::Machine { boot, machine, rom } => machine_label(self.platform, *boot, *machine, rom),
        };
        let platform = match self.configuration {
            Configuration::Single(_) => String::new(),
            Configuration::Paravirt(_) => format!("{} ", self.platform),
        };
        let cpus = self.smp.filter(|cpus| *cpus > 1).map(|cpus| format!(" ×{cpus}"));
        format!("{platform}{machine}{}", cpus.unwrap_or_default())
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.configuration, self.label())
    }
}

/// What differs from the usual machine; under vmi always the ROM as well.
fn machine_label(platform: Platform, boot: Boot, machine: Machine, rom: &RomChoice) -> String {
    let mut words = Vec::new();
    if platform == Platform::Vmi {
        words.push(match rom {
            RomChoice::None => "no ROM".to_owned(),
            RomChoice::Built(name) => name.clone(),
            RomChoice::File(path) | RomChoice::Crate(path) => path
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

/// The platform that is asked for, if the image runs there; its usual one if none is.
fn platform(configuration: &Configuration, asked: Option<Platform>) -> Result<Platform> {
    let on = asked.unwrap_or_else(|| configuration.usual_platform());
    let own: Vec<_> = configuration.platforms().iter().map(|own| own.name()).collect();
    let (own, with_it) = (own.join(" and "), configuration.features_with(on));
    ensure!(
        configuration.platforms().contains(&on),
        Failure::Usage.error(format!(
            "`--on {on}`: the image is for {own} only; type `--features {on}`, or `--features {with_it} --on {on}` for one image of all"
        ))
    );
    Ok(on)
}

/// How to choose `platform` for an image that runs there as well as elsewhere; nothing for any other image.
fn way_to(platform: Platform, configuration: &Configuration) -> String {
    if configuration.platforms().contains(&platform) {
        format!("; `--on {platform}` chooses it")
    } else {
        String::new()
    }
}

/// The machine of a kernel that has one to itself.
fn own_machine(configuration: &Configuration, platform: Platform, asked: &MachineArgs) -> Result<Around> {
    let refuse = |why: &str| Failure::Usage.error(format!("{why} (the platform is {platform})"));
    let is_for = |option: &str, other| {
        let way = way_to(other, configuration);
        refuse(&format!("`{option}` is for the platform {other}{way}"))
    };
    ensure!(asked.domain.is_none(), is_for("--as", Platform::Xen));
    ensure!(
        asked.rom.is_none() || platform == Platform::Vmi,
        is_for("--rom", Platform::Vmi)
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
    use crate::failure::explain;

    fn image(features: &str) -> Image {
        Image {
            features: vec![features.into()],
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

    fn on(platform: Platform) -> MachineArgs {
        MachineArgs {
            on: Some(platform),
            ..Default::default()
        }
    }

    #[test]
    fn an_image_of_several_boots_where_it_is_asked_to() {
        assert_eq!(label("paravirt", MachineArgs::default()), "paravirt native pvh");
        assert_eq!(
            label("paravirt,vmi,xen", MachineArgs::default()),
            "paravirt-xen-vmi vmi native"
        );
        assert_eq!(label("paravirt,xen", MachineArgs::default()), "paravirt-xen xen dom0");
        let asked = MachineArgs {
            smp: Some(4),
            ..on(Platform::Xen)
        };
        assert_eq!(label("paravirt", asked), "paravirt xen dom0 ×4");
        assert_eq!(label("xen", on(Platform::Xen)), "xen dom0");
    }

    #[test]
    fn an_image_boots_nowhere_else_and_says_what_to_type() {
        let said = |features: &str, machine: MachineArgs| {
            let error = Setup::new(&image(features), &machine).unwrap_err();
            assert_eq!(Failure::of(&error), Failure::Usage, "{error}");
            explain(&error)
        };
        let alone = said("native", on(Platform::Xen));
        assert!(
            alone.contains("`--features xen`") && alone.contains("`--features paravirt,native,xen --on xen`"),
            "{alone}"
        );
        let not_among = said("paravirt,native,vmi", on(Platform::Xen));
        assert!(
            not_among.contains("`--features paravirt,native,xen,vmi --on xen`"),
            "{not_among}"
        );
        let rom = MachineArgs {
            rom: Some(RomChoice::None),
            ..Default::default()
        };
        assert!(said("paravirt", rom).contains("`--on vmi`"));
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
