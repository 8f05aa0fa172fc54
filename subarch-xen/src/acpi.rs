//! Finding out how this machine is switched off.
//!
//! It takes one number, and ACPI hides it well. The value that means "off" is a package named `_S5_` in the firmware's own
//! program code; that is in the table DSDT, whose address is in the table FADT, which is one of those that the RSDT or XSDT
//! lists, whose address is in the RSDP, which lies somewhere in the BIOS area. Xen followed the same path for the addresses
//! of the registers, but leaves the number to dom0, because it does not interpret firmware code. Nor do we: the package
//! always has the same shape, so it is enough to recognise it ([`aml`]).
//!
//! Source: ACPI specification 6.5, section 5.2 (tables) and 7.4.2 (`\_S5`). The RSDP of a machine that was started by UEFI is
//! not in the BIOS area; such a machine is reported as one without ACPI.

mod aml;
mod window;

pub use window::Window;

use core::fmt;

/// What to write to the sleep-type fields of the two power-management registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SleepType {
    /// For register A.
    pub a: u8,
    /// For register B, where there is one.
    pub b: u8,
}

/// The machine's memory, by its own addresses.
pub trait Memory {
    /// The byte at `address`; `None` if it may not be read.
    fn byte(&mut self, address: u64) -> Option<u8>;
}

/// Why the way to the number could not be followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unknown {
    /// No RSDP in the BIOS area.
    NoPointer,
    /// The memory at this address may not be read.
    Unreadable(u64),
    /// The table that should have this signature has another one, a senseless length or a wrong checksum.
    Malformed([u8; 4]),
    /// No table with this signature is listed.
    Missing([u8; 4]),
    /// The DSDT defines no sleep state S5.
    NoSleepState,
}

impl fmt::Display for Unknown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPointer => out.write_str("there is no ACPI root pointer in the BIOS area"),
            Self::Unreadable(address) => write!(out, "machine address {address:#x} may not be read"),
            Self::Malformed(signature) => write!(out, "ACPI table {} is malformed", signature.escape_ascii()),
            Self::Missing(signature) => write!(out, "there is no ACPI table {}", signature.escape_ascii()),
            Self::NoSleepState => out.write_str("ACPI table DSDT defines no sleep state S5"),
        }
    }
}

/// Where a BIOS puts the RSDP, and how it is aligned there.
const BIOS_AREA: core::ops::Range<u64> = 0xe_0000..0x10_0000;
const POINTER_ALIGNMENT: usize = 16;

/// Size of every table's header.
const HEADER: u64 = 36;

/// Tables longer than this are not believed.
const LONGEST: u64 = 1 << 24;

/// The sleep type of S5, "soft off".
///
/// # Errors
/// [`Unknown`], naming the first step that failed.
pub fn soft_off(memory: &mut impl Memory) -> Result<SleepType, Unknown> {
    let (root, entry_size) = root_table(memory)?;
    let fadt = find(memory, root, entry_size, *b"FACP")?;
    let program = program_address(memory, fadt)?;
    let dsdt = check(memory, program, *b"DSDT")?;
    aml::sleep_type(memory, dsdt.address + HEADER, dsdt.address + dsdt.length)?.ok_or(Unknown::NoSleepState)
}

/// A table that was checked.
#[derive(Clone, Copy)]
struct Table {
    address: u64,
    length: u64,
}

/// The table that lists the others, and the size of its entries: the XSDT (8 bytes) if there is one, or the RSDT (4).
fn root_table(memory: &mut impl Memory) -> Result<(Table, u64), Unknown> {
    const REVISION: u64 = 15;
    let pointer = root_pointer(memory)?;
    if byte(memory, pointer + REVISION)? >= 2 {
        let xsdt = address(memory, pointer + 24, 8)?;
        if xsdt != 0 {
            return Ok((check(memory, xsdt, *b"XSDT")?, 8));
        }
    }
    let rsdt = address(memory, pointer + 16, 4)?;
    Ok((check(memory, rsdt, *b"RSDT")?, 4))
}

/// The address of the RSDP.
fn root_pointer(memory: &mut impl Memory) -> Result<u64, Unknown> {
    /// The part that the first version's checksum covers.
    const LENGTH: u64 = 20;
    for address in BIOS_AREA.step_by(POINTER_ALIGNMENT) {
        if has(memory, address, b"RSD PTR ")? && sum(memory, address, LENGTH)? == 0 {
            return Ok(address);
        }
    }
    Err(Unknown::NoPointer)
}

/// The listed table with `signature`.
fn find(memory: &mut impl Memory, root: Table, entry_size: u64, signature: [u8; 4]) -> Result<Table, Unknown> {
    for entry in (HEADER..root.length).step_by(entry_size as usize) {
        let table = address(memory, root.address + entry, entry_size)?;
        if has(memory, table, &signature)? {
            return check(memory, table, signature);
        }
    }
    Err(Unknown::Missing(signature))
}

/// The address of the DSDT: the FADT has a field of 4 bytes for it, a longer FADT also one of 8.
fn program_address(memory: &mut impl Memory, fadt: Table) -> Result<u64, Unknown> {
    const SHORT: u64 = 40;
    const LONG: u64 = 140;
    if fadt.length >= LONG + 8 {
        let long = address(memory, fadt.address + LONG, 8)?;
        if long != 0 {
            return Ok(long);
        }
    }
    address(memory, fadt.address + SHORT, 4)
}

/// Makes sure that there is a table with `signature` at `address`.
fn check(memory: &mut impl Memory, address: u64, signature: [u8; 4]) -> Result<Table, Unknown> {
    let length = number(memory, address + 4, 4)?;
    let sound =
        has(memory, address, &signature)? && (HEADER..LONGEST).contains(&length) && sum(memory, address, length)? == 0;
    if sound {
        Ok(Table { address, length })
    } else {
        Err(Unknown::Malformed(signature))
    }
}

fn has(memory: &mut impl Memory, address: u64, text: &[u8]) -> Result<bool, Unknown> {
    for (offset, &expected) in (0..).zip(text) {
        if byte(memory, address + offset)? != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The sum of `length` bytes, which is 0 in a sound table.
fn sum(memory: &mut impl Memory, address: u64, length: u64) -> Result<u8, Unknown> {
    (address..address + length).try_fold(0_u8, |sum, address| Ok(sum.wrapping_add(byte(memory, address)?)))
}

/// An address of `size` bytes; none that a processor could not have is given out, so there is room for offsets.
fn address(memory: &mut impl Memory, at: u64, size: u64) -> Result<u64, Unknown> {
    let address = number(memory, at, size)?;
    if address < 1 << 52 {
        Ok(address)
    } else {
        Err(Unknown::Unreadable(address))
    }
}

/// A little-endian number of `size` bytes.
fn number(memory: &mut impl Memory, address: u64, size: u64) -> Result<u64, Unknown> {
    (0..size).rev().try_fold(0, |number, offset| {
        Ok(number << 8 | u64::from(byte(memory, address + offset)?))
    })
}

fn byte(memory: &mut impl Memory, address: u64) -> Result<u8, Unknown> {
    memory.byte(address).ok_or(Unknown::Unreadable(address))
}

#[cfg(test)]
mod tests;
