//! The fixed hardware: where the power switch, the reset and a clock are (ACPI 6.5, table 5.9).
//!
//! The table has grown for twenty-five years, and keeps its past: most registers are named twice, as a port in the old fields and
//! as a generic address in the new ones. The new field counts if it is filled in, and a table that ends before it is old.

use crate::physical::Fields;

/// A register, wherever it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Register {
    /// An I/O port.
    Port(u16),
    /// A physical address.
    Memory(u64),
}

/// What the kernel wants from the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fadt {
    /// The physical address of the differentiated definition block, the DSDT.
    pub definition_block: u64,
    /// The port and the value that make the firmware leave the power registers to the kernel.
    pub enable: Option<(u16, u8)>,
    /// The power management control registers, of which a machine may have two halves.
    pub control: [Option<Register>; 2],
    /// The sleep control register of machines that have no others.
    pub sleep_control: Option<Register>,
    /// The register and the value that reset the machine.
    pub reset: Option<(Register, u8)>,
    /// The port of the power management timer.
    pub timer: Option<u16>,
    /// The index of the century in the clock's memory; 0 if it has none.
    pub century: u8,
}

/// Flag of the table: the reset register works.
const RESET_SUPPORTED: u32 = 1 << 10;

/// Flag of the table: the machine has none of the fixed hardware but what has a generic address of its own.
const HARDWARE_REDUCED: u32 = 1 << 20;

impl Fadt {
    /// Reads the table; fields behind its end are as good as zero.
    pub fn parse(table: &[u8]) -> Option<Self> {
        let flags = table.u32_at(112)?;
        let reduced = flags & HARDWARE_REDUCED != 0;
        let reset = generic_address(table, 116).zip(table.u8_at(128));
        Some(Self {
            definition_block: table
                .u64_at(140)
                .filter(|address| *address != 0)
                .or(table.u32_at(40).map(u64::from))?,
            enable: port(table, 48).zip(table.u8_at(52)),
            control: [(172, 64), (184, 68)].map(|(extended, basic)| {
                let register = generic_address(table, extended).or(port(table, basic).map(Register::Port));
                register.filter(|_| !reduced)
            }),
            sleep_control: generic_address(table, 244).filter(|_| reduced),
            reset: reset.filter(|_| flags & RESET_SUPPORTED != 0),
            timer: port(table, 76).filter(|_| !reduced && table.u8_at(91) == Some(4)),
            century: table.u8_at(108)?,
        })
    }
}

/// The port whose number is at `offset`; 0 means that there is none.
fn port(table: &[u8], offset: usize) -> Option<u16> {
    u16::try_from(table.u32_at(offset)?).ok().filter(|port| *port != 0)
}

/// The generic address structure at `offset` (ACPI 6.5, table 5.1), if it is filled in with something this kernel can use.
fn generic_address(table: &[u8], offset: usize) -> Option<Register> {
    /// The address is a physical one.
    const SYSTEM_MEMORY: u8 = 0;
    /// The address is a port.
    const SYSTEM_IO: u8 = 1;
    let address = table.u64_at(offset + 4).filter(|address| *address != 0)?;
    match table.u8_at(offset)? {
        SYSTEM_MEMORY => Some(Register::Memory(address)),
        SYSTEM_IO => u16::try_from(address).ok().map(Register::Port),
        _ => None,
    }
}
