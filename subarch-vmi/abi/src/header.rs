//! The first 144 bytes of a ROM, and every reason not to believe them.
//!
//! Offsets 0 to 0x1B are those of a PC option ROM and of VMI 3.0, so that firmware deploys the ROM and tools recognise it;
//! what VMI-64 adds lies in the room that VMI 3.0 reserved. A ROM is refused by the first thing that is wrong, and
//! each has a name, because the person who reads the log is usually the one who just built the ROM.

use crate::{MAJOR, PAGE_SIZE};
use core::fmt;

/// Size of the header, the two entry slots included.
pub const HEADER_SIZE: usize = 0x90;
/// The grain in which an option ROM tells its length.
pub const BLOCK: usize = 512;

/// Offset of the number of blocks.
pub const ROM_LENGTH: usize = 0x02;
/// Offset of the byte that makes the sum of all bytes zero (reserved in VMI 3.0).
pub const CHECKSUM: usize = 0x0f;
const OPTION_ROM_SIGNATURE: (usize, [u8; 2]) = (0x00, [0x55, 0xaa]);
const VMI_SIGNATURE: (usize, [u8; 4]) = (0x08, *b"cVmi");
const MINOR_VERSION: usize = 0x0c;
const MAJOR_VERSION: usize = 0x0d;
const IMAGE_LENGTH: usize = 0x20;
const DATA_PAGES: usize = 0x24;
const NAME: usize = 0x28;
const NAME_SIZE: usize = 16;
const SLOT_INIT: usize = 0x80;
const SLOT_GET_RELOCATION: usize = 0x88;
const JUMP_REL32: u8 = 0xe9;

/// What an acceptable ROM says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Minor number of the ABI that the ROM was written for.
    pub minor: u8,
    /// Length of the ROM in bytes, a multiple of 512.
    pub rom_length: usize,
    /// How many pages of zeroed read-write memory the ROM wants directly behind the pages of its image.
    pub data_pages: usize,
    name: [u8; NAME_SIZE],
}

/// Why bytes are not an acceptable ROM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderError {
    /// No option ROM with a VMI signature begins here.
    Signature,
    /// The length byte claims more than there is up to the end of the option-ROM area, or nothing at all.
    TruncatedArea {
        /// Bytes that the length byte claims.
        claimed: usize,
        /// Bytes that there are.
        available: usize,
    },
    /// The header claims an image longer than the ROM, or shorter than the header itself.
    TruncatedImage {
        /// Bytes of the image, according to the header.
        image: usize,
        /// Bytes of the ROM, according to the length byte.
        rom: usize,
    },
    /// The sum of all bytes is this instead of 0.
    Checksum(u8),
    /// The ROM was written for an ABI with this major number.
    Major(u8),
    /// The entry slot at this offset does not hold a jump into the image.
    EntrySlot(usize),
    /// The name contains something else than printable ASCII.
    Name,
}

impl Header {
    /// Reads and checks the header of the ROM that begins at the first of `bytes` and does not reach beyond the last.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        if !has_signatures(bytes) {
            return Err(HeaderError::Signature);
        }
        let rom = rom_bytes(bytes)?;
        match rom.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) {
            0 => {}
            sum => return Err(HeaderError::Checksum(sum)),
        }
        match rom[MAJOR_VERSION] {
            MAJOR => {}
            other => return Err(HeaderError::Major(other)),
        }
        let image_length = dword(rom, IMAGE_LENGTH) as usize;
        if !(HEADER_SIZE..=rom.len()).contains(&image_length) {
            return Err(HeaderError::TruncatedImage {
                image: image_length,
                rom: rom.len(),
            });
        }
        check_entry_slot(rom, SLOT_INIT, image_length)?;
        check_entry_slot(rom, SLOT_GET_RELOCATION, image_length)?;
        Ok(Self {
            minor: rom[MINOR_VERSION],
            rom_length: rom.len(),
            data_pages: dword(rom, DATA_PAGES) as usize,
            name: name(rom)?,
        })
    }

    /// The ROM's own name, at the most 16 characters.
    pub fn name(&self) -> &str {
        let end = self.name.iter().position(|byte| *byte == 0).unwrap_or(NAME_SIZE);
        core::str::from_utf8(&self.name[..end]).unwrap_or_default()
    }

    /// Pages that the copy of the image takes.
    pub const fn image_pages(&self) -> usize {
        self.rom_length.div_ceil(PAGE_SIZE)
    }

    /// Pages that the copy of the image and the data behind it take.
    pub const fn total_pages(&self) -> usize {
        self.image_pages().saturating_add(self.data_pages)
    }

    /// Offset of the function *Init* in the image.
    pub const fn init(&self) -> usize {
        SLOT_INIT
    }

    /// Offset of the function *GetRelocationInfo* in the image.
    pub const fn get_relocation(&self) -> usize {
        SLOT_GET_RELOCATION
    }
}

/// Whether both signatures are in place and a whole header follows.
fn has_signatures(bytes: &[u8]) -> bool {
    let holds = |offset: usize, expected: &[u8]| bytes.get(offset..offset + expected.len()) == Some(expected);
    bytes.len() >= HEADER_SIZE
        && holds(OPTION_ROM_SIGNATURE.0, &OPTION_ROM_SIGNATURE.1)
        && holds(VMI_SIGNATURE.0, &VMI_SIGNATURE.1)
}

/// The bytes that the length byte claims, if they are all there.
fn rom_bytes(bytes: &[u8]) -> Result<&[u8], HeaderError> {
    let claimed = bytes[ROM_LENGTH] as usize * BLOCK;
    match bytes.get(..claimed) {
        Some(rom) if claimed > 0 => Ok(rom),
        _ => Err(HeaderError::TruncatedArea {
            claimed,
            available: bytes.len(),
        }),
    }
}

/// Whether the slot at `slot` is a `jmp rel32` to somewhere in the image behind the header.
fn check_entry_slot(rom: &[u8], slot: usize, image_length: usize) -> Result<(), HeaderError> {
    let distance = i64::from(dword(rom, slot + 1) as i32);
    let target = slot as i64 + 5 + distance;
    let inside = (HEADER_SIZE as i64..image_length as i64).contains(&target);
    if rom[slot] == JUMP_REL32 && inside {
        Ok(())
    } else {
        Err(HeaderError::EntrySlot(slot))
    }
}

/// The name field, if it is printable.
fn name(rom: &[u8]) -> Result<[u8; NAME_SIZE], HeaderError> {
    let mut name = [0; NAME_SIZE];
    name.copy_from_slice(&rom[NAME..NAME + NAME_SIZE]);
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(NAME_SIZE);
    let printable = name[..end].iter().all(|byte| byte.is_ascii_graphic()) && end > 0;
    if printable { Ok(name) } else { Err(HeaderError::Name) }
}

/// The 32-bit number at `offset`.
fn dword(rom: &[u8], offset: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&rom[offset..offset + 4]);
    u32::from_le_bytes(bytes)
}

impl fmt::Display for HeaderError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Signature => write!(out, "no VMI signature"),
            Self::TruncatedArea { claimed, available } => {
                write!(
                    out,
                    "truncated length: claims {claimed} bytes where the area has {available}"
                )
            }
            Self::TruncatedImage { image, rom } => {
                write!(out, "truncated length: an image of {image} bytes in a ROM of {rom}")
            }
            Self::Checksum(sum) => write!(out, "bad checksum: its bytes add up to {sum:#04x} instead of 0"),
            Self::Major(major) => write!(out, "wrong major version {major} instead of {MAJOR}"),
            Self::EntrySlot(slot) => write!(out, "the entry slot at {slot:#x} does not jump into the image"),
            Self::Name => write!(out, "its name is empty or not printable"),
        }
    }
}

impl core::error::Error for HeaderError {}

#[cfg(test)]
mod tests;
