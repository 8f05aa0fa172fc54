//! The machines that an image must prove itself on.
//!
//! Two things vary: the way to boot, which is the platform's matter, and the number of CPUs, which is the core's. Every platform
//! runs all tests with 1, 2, 4 and 8 CPUs, so that a test which needs company, or solitude, has it everywhere.
//!
//! Where one image is for several platforms, what each of them does is proved already. What is new is which code runs on which
//! machine, so it is booted in every way that there is, and on machines with one CPU and with more.

use crate::cli::{Boot, Domain, Machine, MachineArgs, On, RomChoice};
use crate::configuration::Configuration;
use crate::platform::Platform;
use crate::rom;

/// The machines for one image.
#[derive(Debug, Default)]
pub struct Machines {
    /// On these the kernel's tests run.
    pub tested: Vec<MachineArgs>,
    /// On this one a long test: more than one CPU, but not more than the host is likely to have itself.
    pub long: Option<MachineArgs>,
    /// On these the kernel is broken: one of each kind that reports in its own way.
    pub broken: Vec<MachineArgs>,
}

impl Machines {
    /// All that prove an image of this configuration.
    pub fn of(configuration: &Configuration) -> Self {
        match configuration {
            Configuration::Single(Platform::Native) => native(),
            Configuration::Single(Platform::Xen) => xen(),
            Configuration::Single(Platform::Vmi) => vmi(),
            Configuration::Paravirt(children) => Self {
                tested: on_each(children, ways),
                long: None,
                broken: on_each(children, |child| vec![breakable(child)]),
            },
        }
    }

    /// The usual machine of each of its platforms.
    pub fn plain(configuration: &Configuration) -> Self {
        Self {
            tested: on_each(configuration.platforms(), |_| vec![MachineArgs::default()]),
            ..Self::default()
        }
    }
}

/// The machines that `machines` has for each of these children of one image.
fn on_each(children: &[Platform], machines: fn(Platform) -> Vec<MachineArgs>) -> Vec<MachineArgs> {
    let on = |child| {
        machines(child).into_iter().map(move |machine| MachineArgs {
            on: Some(child.into()),
            ..machine
        })
    };
    children.iter().flat_map(|child| on(*child)).collect()
}

/// Every way in which an image comes to run on `platform`, with one CPU or more.
fn ways(platform: Platform) -> Vec<MachineArgs> {
    match platform {
        Platform::Native => {
            let four = MachineArgs {
                smp: Some(4),
                ..Default::default()
            };
            [Boot::Pvh, Boot::Bios, Boot::Uefi]
                .map(booted)
                .into_iter()
                .chain([four])
                .collect()
        }
        Platform::Xen => vec![
            domain(Domain::Dom0, None),
            domain(Domain::Dom0, Some(4)),
            domain(Domain::Domu, Some(2)),
        ],
        Platform::Vmi => {
            let roms = rom::NAMES.iter().map(|name| with_rom(name, None));
            [without_rom()].into_iter().chain(roms).collect()
        }
    }
}

/// A machine of `platform` on which all that can be broken is reported.
fn breakable(platform: Platform) -> MachineArgs {
    match platform {
        Platform::Native => MachineArgs::default(),
        Platform::Xen => domain(Domain::Dom0, None),
        Platform::Vmi => with_rom("call", None),
    }
}

/// Every loader, every chip set, and what Xen leaves of a machine for a guest in ring 0.
fn native() -> Machines {
    let with_cpus = |machine, cpus| MachineArgs {
        machine: Some(machine),
        smp: Some(cpus),
        ..Default::default()
    };
    Machines {
        tested: vec![
            booted(Boot::Pvh),
            booted(Boot::Bios),
            booted(Boot::Uefi),
            with_cpus(Machine::Microvm, 2),
            with_cpus(Machine::Q35, 4),
            with_cpus(Machine::Pc, 8),
            beneath_xen(On::Xen, None, None),
            beneath_xen(On::Xen, None, Some(4)),
        ],
        long: Some(with_cpus(Machine::Pc, 2)),
        broken: vec![breakable(Platform::Native)],
    }
}

/// Both kinds of domain.
fn xen() -> Machines {
    let dom0 = [None, Some(2), Some(4), Some(8)].map(|cpus| domain(Domain::Dom0, cpus));
    let domu = domain(Domain::Domu, Some(2));
    Machines {
        tested: dom0.into_iter().chain([domu.clone()]).collect(),
        long: Some(domain(Domain::Dom0, Some(2))),
        broken: vec![breakable(Platform::Xen), domain(Domain::Dom0, Some(4)), domu],
    }
}

/// Every ROM, those that must be refused as well; and beneath Xen, those that leave the machine as it is, and the one for Xen.
fn vmi() -> Machines {
    let mut tested = vec![without_rom()];
    tested.extend(rom::NAMES.iter().chain(&rom::BROKEN).map(|name| with_rom(name, None)));
    tested.push(with_rom(rom::TEMPLATE, None));
    tested.extend(["native", "call", rom::TEMPLATE].map(|name| with_rom(name, Some(4))));
    tested.extend([2, 4, 8].map(|cpus| with_rom("soft-if", Some(cpus))));
    tested.push(with_rom(rom::XEN, None));
    let built = |name: &str| Some(RomChoice::Built(name.into()));
    tested.extend([
        beneath_xen(On::Xen, Some(RomChoice::None), None),
        beneath_xen(On::Xen, built("native"), Some(2)),
        beneath_xen(On::Xen, built(rom::XEN), None),
        beneath_xen(On::Xen, built(rom::XEN), Some(4)),
        beneath_xen(On::XenDomu, built(rom::XEN), Some(2)),
    ]);
    Machines {
        tested,
        long: Some(with_rom("soft-if", Some(2))),
        broken: vec![breakable(Platform::Vmi)],
    }
}

/// A machine whose kernel is loaded by `boot`.
fn booted(boot: Boot) -> MachineArgs {
    MachineArgs {
        boot: Some(boot),
        ..Default::default()
    }
}

/// A domain with `cpus` CPUs.
fn domain(domain: Domain, cpus: Option<u32>) -> MachineArgs {
    MachineArgs {
        domain: Some(domain),
        smp: cpus,
        ..Default::default()
    }
}

/// The PVH guest that an image for bare machines is beneath Xen, with `cpus` CPUs.
fn beneath_xen(on: On, rom: Option<RomChoice>, cpus: Option<u32>) -> MachineArgs {
    MachineArgs {
        on: Some(on),
        rom,
        smp: cpus,
        ..Default::default()
    }
}

/// A machine without any ROM.
fn without_rom() -> MachineArgs {
    MachineArgs {
        rom: Some(RomChoice::None),
        ..Default::default()
    }
}

/// A machine with the ROM `name` and `cpus` CPUs.
fn with_rom(name: &str, cpus: Option<u32>) -> MachineArgs {
    MachineArgs {
        rom: Some(RomChoice::Built(name.to_owned())),
        smp: cpus,
        ..Default::default()
    }
}
