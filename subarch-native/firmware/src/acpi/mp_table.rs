//! The list of CPUs from before ACPI: Intel's MultiProcessor Specification 1.4 of 1997, chapter 4.
//!
//! Firmware that has ACPI is not asked. But a small virtual machine may have only this, and so has every PC with two sockets
//! of the nineties: a pointer that has to be searched for, and a table whose first entries are the CPUs.

use super::root::{bios_areas, checksum};
use crate::ApicIds;
use crate::physical::{Fields, PhysicalMemory};
use core::ops::Range;

/// Size of the table's header.
const HEADER_SIZE: usize = 44;

/// The CPUs that the table lists as usable; `None` if there is no valid table.
pub fn cpus(memory: &impl PhysicalMemory) -> Option<ApicIds> {
    /// The last KiB of the 640 that DOS knew, where firmware without an extended data area leaves the pointer.
    const END_OF_BASE_MEMORY: Range<u64> = 0x9_fc00..0xa_0000;
    let mut places = bios_areas(memory).chain(END_OF_BASE_MEMORY.step_by(16));
    let pointer = places.find_map(|address| pointer_at(memory, address))?;
    if pointer.u8_at(11)? != 0 {
        // A machine of one of the specification's standard makes: two CPUs, and no table.
        return Some([0, 1].into_iter().collect());
    }
    let table = table_at(memory, pointer.u32_at(4)?.into())?;
    let entries = table.get(HEADER_SIZE..)?;
    Some(processors(entries).collect())
}

/// The floating pointer at `address`, if there is a valid one.
fn pointer_at(memory: &impl PhysicalMemory, address: u64) -> Option<&[u8]> {
    let pointer = memory.bytes(address, 16)?;
    (pointer.starts_with(b"_MP_") && checksum(pointer) == 0).then_some(pointer)
}

/// The table at `address`, header included, if it is whole and adds up.
fn table_at(memory: &impl PhysicalMemory, address: u64) -> Option<&[u8]> {
    let header = memory.bytes(address, HEADER_SIZE)?;
    let length = header.u16_at(4).filter(|_| header.starts_with(b"PCMP"))?;
    let table = memory.bytes(address, length.into())?;
    (checksum(table) == 0).then_some(table)
}

/// The APICs' numbers of the CPUs in `entries`, which are sorted by kind: CPUs come first, and are longer than the rest.
fn processors(entries: &[u8]) -> impl Iterator<Item = u32> {
    /// The first byte of a CPU's entry.
    const PROCESSOR: u8 = 0;
    const PROCESSOR_SIZE: usize = 20;
    /// Flag of a CPU: it can be used.
    const ENABLED: u8 = 1;
    entries
        .chunks_exact(PROCESSOR_SIZE)
        .take_while(|entry| entry[0] == PROCESSOR)
        .filter(|entry| entry[3] & ENABLED != 0)
        .map(|entry| entry[1].into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::physical::Pieces;

    /// Puts the sum of `bytes` right at `place`.
    fn summed(mut bytes: Vec<u8>, place: usize) -> Vec<u8> {
        bytes[place] = checksum(&bytes).wrapping_neg();
        bytes
    }

    fn pointer(standard: u8) -> Vec<u8> {
        let mut pointer = [b"_MP_".as_slice(), &0x9_8000u32.to_le_bytes(), &[1, 4, 0], &[0; 5]].concat();
        pointer[11] = standard;
        summed(pointer, 10)
    }

    fn table() -> Vec<u8> {
        let cpu = |id: u8, flags: u8| [vec![0, id, 0x14, flags], vec![0; 16]].concat();
        let mut table = vec![0; HEADER_SIZE];
        table[..4].copy_from_slice(b"PCMP");
        table.extend([cpu(0, 3), cpu(2, 1), cpu(5, 0)].concat());
        table.extend([
            1, 0, b'I', b'S', b'A', b' ', b' ', b' ', 2, 0, 0x11, 1, 0, 0, 0xc0, 0xfe,
        ]);
        table.extend([3, 0, 0, 0, 0, 4, 0, 4]);
        let length = table.len() as u16;
        table[4..6].copy_from_slice(&length.to_le_bytes());
        summed(table, 7)
    }

    #[test]
    fn usable_cpus_are_listed() {
        for place in [0xf_5b80, 0x9_fc00] {
            let memory = Pieces(vec![(place, pointer(0)), (0x9_8000, table())]);
            assert_eq!(cpus(&memory), Some([0, 2].into_iter().collect()));
        }
    }

    #[test]
    fn a_standard_machine_has_two() {
        let memory = Pieces(vec![(0xf_5b80, pointer(5))]);
        assert_eq!(cpus(&memory), Some([0, 1].into_iter().collect()));
    }

    #[test]
    fn what_does_not_add_up_is_missing() {
        let mut broken = table();
        broken[50] ^= 1;
        assert_eq!(cpus(&Pieces(vec![(0xf_5b80, pointer(0)), (0x9_8000, broken)])), None);
        assert_eq!(cpus(&Pieces(vec![(0xf_5b80, pointer(0))])), None);
        assert_eq!(cpus(&Pieces(vec![])), None);
    }
}
