//! The machines that a platform must prove itself on.
//!
//! Two things vary: the way to boot, which is the platform's matter, and the number of CPUs, which is the core's. Every platform
//! runs all tests with 1, 2, 4 and 8 CPUs, so that a test which needs company, or solitude, has it everywhere.

use crate::cli::{Boot, Domain, Machine, MachineArgs, RomChoice};
use crate::platform::Platform;
use crate::rom;

/// The machines on which the kernel's tests run.
pub fn tested(platform: Platform) -> Vec<MachineArgs> {
    match platform {
        Platform::Native => native(),
        Platform::Xen => xen(),
        Platform::Vmi => vmi(),
    }
}

/// The machine for a long test: more than one CPU, but not more than the host is likely to have itself.
pub fn for_long(platform: Platform) -> MachineArgs {
    match platform {
        Platform::Native => MachineArgs {
            smp: Some(2),
            ..Default::default()
        },
        Platform::Xen => domain(Domain::Dom0, Some(2)),
        Platform::Vmi => with_rom("soft-if", Some(2)),
    }
}

/// The machines on which the kernel is broken: one of each kind that reports in its own way.
pub fn broken(platform: Platform) -> Vec<MachineArgs> {
    match platform {
        Platform::Native => vec![MachineArgs::default()],
        Platform::Vmi => vec![with_rom("call", None)],
        Platform::Xen => vec![
            domain(Domain::Dom0, None),
            domain(Domain::Dom0, Some(4)),
            domain(Domain::Domu, Some(2)),
        ],
    }
}

/// Every loader, every chip set.
fn native() -> Vec<MachineArgs> {
    let booted = |boot| MachineArgs {
        boot: Some(boot),
        ..Default::default()
    };
    let with_cpus = |machine, cpus| MachineArgs {
        machine: Some(machine),
        smp: Some(cpus),
        ..Default::default()
    };
    vec![
        booted(Boot::Pvh),
        booted(Boot::Bios),
        booted(Boot::Uefi),
        with_cpus(Machine::Microvm, 2),
        with_cpus(Machine::Q35, 4),
        with_cpus(Machine::Pc, 8),
    ]
}

/// Both kinds of domain.
fn xen() -> Vec<MachineArgs> {
    let mut machines: Vec<MachineArgs> = [None, Some(2), Some(4), Some(8)]
        .map(|cpus| domain(Domain::Dom0, cpus))
        .into();
    machines.push(domain(Domain::Domu, Some(2)));
    machines
}

/// Every ROM, those that must be refused as well.
fn vmi() -> Vec<MachineArgs> {
    let none = MachineArgs {
        rom: Some(RomChoice::None),
        ..Default::default()
    };
    let mut machines = vec![none];
    machines.extend(rom::NAMES.iter().chain(&rom::BROKEN).map(|name| with_rom(name, None)));
    machines.extend(["native", "call"].map(|name| with_rom(name, Some(4))));
    machines.extend([2, 4, 8].map(|cpus| with_rom("soft-if", Some(cpus))));
    machines
}

/// A domain with `cpus` CPUs.
fn domain(domain: Domain, cpus: Option<u32>) -> MachineArgs {
    MachineArgs {
        domain: Some(domain),
        smp: cpus,
        ..Default::default()
    }
}

/// A machine with the ROM `name` and `cpus` CPUs.
pub fn with_rom(name: &str, cpus: Option<u32>) -> MachineArgs {
    MachineArgs {
        rom: Some(RomChoice::Built(name.to_owned())),
        smp: cpus,
        ..Default::default()
    }
}
