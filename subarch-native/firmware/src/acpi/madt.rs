//! CPUs and interrupt controllers: the multiple APIC description table (ACPI 6.5, 5.2.12).
//!
//! A list of entries of many kinds and lengths, in any order. Four kinds matter: the two that announce a CPU (by its APIC's
//! old or new sort of number), the one that announces an I/O APIC and the first of the *global* interrupts it serves, and the
//! one that says that an interrupt of the PC AT arrives as a global one of another number, or with another polarity.

use super::root::HEADER_SIZE;
use crate::ApicIds;
use crate::physical::Fields;
use crate::{Input, SERIAL_LINES};

/// What the kernel wants from the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Madt {
    /// The CPUs that are there and usable.
    pub cpus: ApicIds,
    /// Where the interrupt of each of the [`SERIAL_LINES`] arrives.
    pub serial: [Option<Input>; SERIAL_LINES.len()],
}

/// An entry of the table, as far as it matters here.
#[derive(Clone, Copy)]
enum Entry {
    /// A CPU, which the firmware may have switched off.
    Cpu { id: u32, enabled: bool },
    /// An I/O APIC: where its registers are, and the number of its first input among the machine's global ones.
    IoApic { registers: u32, first: u32 },
    /// An interrupt of the PC AT that arrives at another input, or in another way, than it did there.
    Override { interrupt: u8, global: u32, flags: u16 },
}

impl Madt {
    /// Reads the table; an entry that runs over the end is where it ends.
    pub fn parse(table: &[u8]) -> Option<Self> {
        let entries = || entries(table.get(HEADER_SIZE + 8..).unwrap_or(&[]));
        let usable = |entry| match entry {
            Entry::Cpu { id, enabled: true } => Some(id),
            _ => None,
        };
        table.u32_at(HEADER_SIZE)?;
        Some(Self {
            cpus: entries().filter_map(usable).collect(),
            serial: SERIAL_LINES.map(|line| input(entries, line.interrupt)),
        })
    }
}

/// The entries behind the table's fixed part, which are of many kinds and lengths.
fn entries(mut bytes: &[u8]) -> impl Iterator<Item = Entry> {
    core::iter::from_fn(move || {
        let length = bytes.u8_at(1).filter(|length| *length >= 2)?;
        let (entry, rest) = bytes.split_at_checked(length.into())?;
        bytes = rest;
        Some(entry)
    })
    .filter_map(entry)
}

/// Reads one entry, if it is of a kind that matters.
fn entry(bytes: &[u8]) -> Option<Entry> {
    // The kinds of entries, by their first byte.
    const LOCAL_APIC: u8 = 0;
    const IO_APIC: u8 = 1;
    const OVERRIDE: u8 = 2;
    const LOCAL_X2APIC: u8 = 9;
    /// Flag of a CPU: it can be used as it is.
    const ENABLED: u32 = 1;
    Some(match bytes.u8_at(0)? {
        LOCAL_APIC => Entry::Cpu {
            id: bytes.u8_at(3)?.into(),
            enabled: bytes.u32_at(4)? & ENABLED != 0,
        },
        LOCAL_X2APIC => Entry::Cpu {
            id: bytes.u32_at(4)?,
            enabled: bytes.u32_at(8)? & ENABLED != 0,
        },
        IO_APIC => Entry::IoApic {
            registers: bytes.u32_at(4)?,
            first: bytes.u32_at(8)?,
        },
        OVERRIDE => Entry::Override {
            interrupt: bytes.u8_at(3)?,
            global: bytes.u32_at(4)?,
            flags: bytes.u16_at(8)?,
        },
        _ => return None,
    })
}

/// Where the PC AT's `interrupt` arrives: at the input of the same number, active high, by its edge, unless an entry overrides
/// that.
fn input<I: Iterator<Item = Entry>>(entries: impl Fn() -> I, interrupt: u8) -> Option<Input> {
    /// Flags of an override: both bits set say active low.
    const POLARITY: u16 = 0b0011;
    /// Flags of an override: both bits set say level-triggered.
    const TRIGGER: u16 = 0b1100;
    let overridden = entries().find_map(|entry| match entry {
        Entry::Override {
            interrupt: of,
            global,
            flags,
        } if of == interrupt => Some((global, flags)),
        _ => None,
    });
    let (global, flags) = overridden.unwrap_or((interrupt.into(), 0));
    let (registers, first) = entries()
        .filter_map(|entry| match entry {
            Entry::IoApic { registers, first } if first <= global => Some((registers, first)),
            _ => None,
        })
        .max_by_key(|(_, first)| *first)?;
    Some(Input {
        registers: registers.into(),
        number: u8::try_from(global - first).ok()?,
        active_low: flags & POLARITY == POLARITY,
        level_triggered: flags & TRIGGER == TRIGGER,
    })
}
