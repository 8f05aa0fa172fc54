//! Recognising one definition in the firmware's program code.
//!
//! `Name (_S5, Package () {a, b, ...})` compiles to: the operator for a name, the name, the operator for a package, the
//! package's length in one to four bytes, the number of elements, the elements. Firmware may write the name with a root
//! prefix, and small numbers in one byte or two. Source: ACPI specification 6.5, section 20.2 (AML encoding).

use super::{Memory, SleepType, Unknown, byte, has};

/// Operators and prefixes of the code, by their names in the specification.
const NAME: u8 = 0x08;
const ROOT_PREFIX: u8 = b'\\';
const PACKAGE: u8 = 0x12;
const ZERO: u8 = 0x00;
const ONE: u8 = 0x01;
const BYTE_PREFIX: u8 = 0x0a;

/// The sleep type that the code from `start` to `end` defines for S5, if it does. A place that merely looks like the
/// beginning of a definition is passed over.
///
/// # Errors
/// [`Unknown::Unreadable`], if a byte of the code may not be read.
pub fn sleep_type(memory: &mut impl Memory, start: u64, end: u64) -> Result<Option<SleepType>, Unknown> {
    // The shortest definition has eight bytes from the name on.
    for address in start + 1..end.saturating_sub(8) {
        if has(memory, address, b"_S5_")?
            && is_defined(memory, address)?
            && let Some(found) = package(memory, address + 4)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether the name at `address` is being defined there.
fn is_defined(memory: &mut impl Memory, address: u64) -> Result<bool, Unknown> {
    let before = byte(memory, address - 1)?;
    Ok(before == NAME || before == ROOT_PREFIX && byte(memory, address - 2)? == NAME)
}

/// The first two elements of the package at `address`.
fn package(memory: &mut impl Memory, address: u64) -> Result<Option<SleepType>, Unknown> {
    if byte(memory, address)? != PACKAGE {
        return Ok(None);
    }
    // The two high bits of the length's first byte say how many more it has. Then comes the number of elements.
    let more = u64::from(byte(memory, address + 1)? >> 6);
    let elements = address + 2 + more;
    if byte(memory, elements)? < 2 {
        return Ok(None);
    }
    let Some((a, next)) = small_number(memory, elements + 1)? else {
        return Ok(None);
    };
    let second = small_number(memory, next)?;
    Ok(second.map(|(b, _)| SleepType { a, b }))
}

/// The number at `address`, if it fits a sleep type (three bits), and the address behind it.
fn small_number(memory: &mut impl Memory, address: u64) -> Result<Option<(u8, u64)>, Unknown> {
    let (value, next) = match byte(memory, address)? {
        small @ (ZERO | ONE) => (small, address + 1),
        BYTE_PREFIX => (byte(memory, address + 1)?, address + 2),
        _ => return Ok(None),
    };
    Ok((value < 8).then_some((value, next)))
}
