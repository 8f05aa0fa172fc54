//! The root of the tables: a pointer to find, and a list to search.

use crate::physical::{Fields, PhysicalMemory};

/// The list of tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Root {
    /// Where the root pointer was found.
    pub pointer: u64,
    /// The list's address.
    list: u64,
    /// The size of its entries in bytes: 4, or 8 in the extended one.
    entry_size: usize,
}

/// Size of the header that every table begins with.
pub const HEADER_SIZE: usize = 36;

/// No table of a real machine is larger.
const LARGEST_TABLE: u32 = 16 << 20;

/// Finds the root pointer at `known`, or else where BIOSes leave it (ACPI 6.5, 5.2.5.1).
pub fn find(memory: &impl PhysicalMemory, known: Option<u64>) -> Option<Root> {
    known
        .and_then(|address| Root::at(memory, address))
        .or_else(|| bios_areas(memory).find_map(|address| Root::at(memory, address)))
}

/// Where BIOSes leave what is to be found: the 16-byte boundaries of the first KiB of the extended BIOS data area, and of the
/// last 128 KiB below 1 MiB.
pub fn bios_areas(memory: &impl PhysicalMemory) -> impl Iterator<Item = u64> {
    /// Where the BIOS keeps the segment of its extended data area.
    const EXTENDED_DATA_SEGMENT: u64 = 0x40e;
    let segment = memory.bytes(EXTENDED_DATA_SEGMENT, 2).and_then(|bytes| bytes.u16_at(0));
    let data_area = u64::from(segment.unwrap_or(0)) << 4;
    (data_area..data_area + 0x400)
        .step_by(16)
        .chain((0xe_0000..0x10_0000).step_by(16))
}

impl Root {
    /// The root pointer at `address`, if there is a valid one.
    fn at(memory: &impl PhysicalMemory, address: u64) -> Option<Self> {
        let pointer = memory.bytes(address, 20)?;
        if !pointer.starts_with(b"RSD PTR ") || checksum(pointer) != 0 {
            return None;
        }
        let revision = pointer.u8_at(15)?;
        let extended = memory
            .bytes(address, 36)
            .filter(|bytes| revision >= 2 && checksum(bytes) == 0)
            .and_then(|bytes| bytes.u64_at(24))
            .filter(|list| *list != 0);
        let list = u64::from(pointer.u32_at(16)?);
        let (list, entry_size) = extended.map_or((list, 4), |list| (list, 8));
        Some(Self {
            pointer: address,
            list,
            entry_size,
        })
    }

    /// The table with `signature`, header included, if there is a valid one.
    pub fn table<'a>(&self, memory: &'a impl PhysicalMemory, signature: &[u8; 4]) -> Option<&'a [u8]> {
        let list = table_at(memory, self.list, None)?;
        list[HEADER_SIZE..]
            .chunks_exact(self.entry_size)
            .filter_map(|entry| entry.u64_at(0).or_else(|| entry.u32_at(0).map(u64::from)))
            .find_map(|address| table_at(memory, address, Some(signature)))
    }
}

/// The table at `address`, header included, if it is whole, adds up, and has the `signature` that is asked for.
pub fn table_at<'a>(memory: &'a impl PhysicalMemory, address: u64, signature: Option<&[u8; 4]>) -> Option<&'a [u8]> {
    let header = memory.bytes(address, HEADER_SIZE)?;
    if signature.is_some_and(|signature| !header.starts_with(signature)) {
        return None;
    }
    let length = header.u32_at(4).filter(|length| *length <= LARGEST_TABLE)?;
    let table = memory.bytes(address, length as usize)?;
    (table.len() >= HEADER_SIZE && checksum(table) == 0).then_some(table)
}

/// The sum of all bytes, which is 0 for a valid structure.
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}
