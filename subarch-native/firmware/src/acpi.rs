//! What the firmware's tables say about the machine: its CPUs, its wires, its off switch.
//!
//! ACPI describes a machine in tables, and in programs (AML) for an interpreter that this kernel does not have. The tables
//! answer all that is asked here but one thing, the value that means "off": that one is in a program, but always in the same
//! few bytes of it. Everything is read once, at boot, through the loader's page tables; what is malformed is as good as
//! missing, and the machine is then treated as a PC AT.
//!
//! Layouts: ACPI specification 6.5, chapter 5.

mod fadt;
mod madt;
mod mp_table;
mod root;
mod soft_off;

pub use fadt::{Fadt, Register};
pub use madt::Madt;
pub use soft_off::SleepTypes;

use crate::physical::PhysicalMemory;
use crate::{ApicIds, Input, SERIAL_LINES};
use log::{debug, warn};

/// What the kernel wants to know, as far as the firmware told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Firmware {
    /// The fixed hardware: power management, timer, reset.
    pub fixed: Option<Fadt>,
    /// CPUs and interrupt controllers.
    pub interrupts: Option<Madt>,
    /// The usable CPUs, which firmware without ACPI may tell as well.
    pub cpus: ApicIds,
    /// What to write into the sleep registers for "off".
    pub soft_off: Option<SleepTypes>,
}

impl Firmware {
    /// Reads the tables below the root pointer at `rsdp`, or where firmware leaves it if the loader does not know.
    pub fn read(memory: &impl PhysicalMemory, rsdp: Option<u64>) -> Self {
        let Some(root) = root::find(memory, rsdp) else {
            warn!("no ACPI tables: treating the machine as a PC AT");
            return Self {
                cpus: mp_table::cpus(memory).unwrap_or_default(),
                ..Self::default()
            };
        };
        let fixed = root.table(memory, b"FACP").and_then(Fadt::parse);
        let interrupts = root.table(memory, b"APIC").and_then(Madt::parse);
        let definition = fixed.and_then(|fixed| root::table_at(memory, fixed.definition_block, Some(b"DSDT")));
        let soft_off = definition.and_then(SleepTypes::find);
        debug!(
            "ACPI root pointer at {:#x}: {fixed:x?}, {interrupts:x?}, {soft_off:?}",
            root.pointer
        );
        Self {
            fixed,
            interrupts,
            cpus: interrupts
                .map(|interrupts| interrupts.cpus)
                .or_else(|| mp_table::cpus(memory))
                .unwrap_or_default(),
            soft_off,
        }
    }

    /// Where the interrupt of [`SERIAL_LINES`]`[line]` arrives: as on a PC AT if no table tells, and nowhere if one tells of no I/O APIC.
    pub fn serial(&self, line: usize) -> Option<Input> {
        match self.interrupts {
            Some(interrupts) => interrupts.serial[line],
            None => Some(Input::of_pc_at(SERIAL_LINES[line].interrupt)),
        }
    }
}

#[cfg(test)]
mod tests;
