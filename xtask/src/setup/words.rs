//! What a setup is called: in a column's heading, and in the line that says what is booted on what.

use super::{Around, Guest, Setup};
use crate::cli::{Boot, Domain, Machine, RomChoice};
use crate::configuration::Configuration;
use std::fmt;

impl Setup {
    /// The machine in a word or two, as the column of a table: `pvh`, `dom0`, `soft-if`; with its platform if the image has several.
    pub fn label(&self) -> String {
        let machine = match &self.around {
            Around::Machine { boot, machine, .. } => words(self.rom(), *boot, *machine),
            Around::Xen { domain, guest } => {
                let kind = match guest {
                    Guest::Pv => None,
                    Guest::Pvh { .. } => Some("PVH".to_owned()),
                };
                let words = self.rom().map(rom_name).into_iter().chain(kind);
                words.chain([domain.name().to_owned()]).collect::<Vec<_>>().join(" ")
            }
        };
        let platform = match self.configuration {
            Configuration::Single(_) => String::new(),
            Configuration::Paravirt(_) => format!("{} ", self.platform),
        };
        let cpus = self.smp.filter(|cpus| *cpus > 1).map(|cpus| format!(" ×{cpus}"));
        format!("{platform}{machine}{}", cpus.unwrap_or_default())
    }

    /// What is booted on what, where `hypervisor` is the Xen that is there: `vmi (ROM native) as PVH dom0 on Xen 4.17.5`.
    pub fn sentence(&self, hypervisor: &str) -> String {
        let platform = match self.configuration {
            Configuration::Single(_) => None,
            Configuration::Paravirt(_) => Some(self.platform.to_string()),
        };
        let rom = self.rom().map(|rom| match rom {
            RomChoice::None => rom_name(rom),
            RomChoice::Built(_) | RomChoice::File(_) | RomChoice::Crate(_) => format!("ROM {}", rom_name(rom)),
        });
        let more: Vec<_> = platform.into_iter().chain(rom).collect();
        let more = if more.is_empty() {
            String::new()
        } else {
            format!(" ({})", more.join(", "))
        };
        let place = match &self.around {
            Around::Machine { boot, machine, .. } => {
                let way = match boot {
                    Boot::Pvh => "by its PVH entry",
                    Boot::Bios => "from a disk, by BIOS",
                    Boot::Uefi => "from a disk, by UEFI",
                };
                format!("on the bare machine {}, {way}", machine.name())
            }
            Around::Xen { domain, guest } => {
                let kind = match guest {
                    Guest::Pv => "PV",
                    Guest::Pvh { .. } => "PVH",
                };
                format!("as {kind} {} on {hypervisor}", domain.name())
            }
        };
        format!("{}{more} {place}", self.configuration)
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.configuration, self.label())
    }
}

impl Domain {
    /// What Xen's users call it.
    fn name(self) -> &'static str {
        match self {
            Self::Dom0 => "dom0",
            Self::Domu => "domU",
        }
    }
}

impl Machine {
    /// QEMU's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pc => "pc",
            Self::Q35 => "q35",
            Self::Microvm => "microvm",
        }
    }
}

/// A ROM in a word or two.
pub(super) fn rom_name(rom: &RomChoice) -> String {
    match rom {
        RomChoice::None => "no ROM".to_owned(),
        RomChoice::Built(name) => name.clone(),
        RomChoice::File(path) | RomChoice::Crate(path) => path
            .file_stem()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned(),
    }
}

/// What differs from the usual machine; where a ROM is looked for always that as well.
fn words(rom: Option<&RomChoice>, boot: Boot, machine: Machine) -> String {
    let mut words: Vec<String> = rom.map(rom_name).into_iter().collect();
    if machine != Machine::Pc {
        words.push(machine.name().into());
    }
    match boot {
        Boot::Pvh if words.is_empty() => words.push("pvh".into()),
        Boot::Pvh => {}
        Boot::Bios => words.push("bios".into()),
        Boot::Uefi => words.push("uefi".into()),
    }
    words.join(" ")
}
