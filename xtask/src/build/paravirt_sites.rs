//! The table of places that a kernel for several platforms patches at boot.
//!
//! The assembler records each place where it comes across it, and the linker puts the records of several files one behind the other, so they
//! are not in the order of their addresses. The kernel wants them so, because then two places that overlap are neighbours in the
//! table. What is wrong with the table is found here, and once more by the kernel (`subarch-paravirt/src/several/table.rs`).

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection};
use std::ops::Range;

/// The section that holds the table.
pub const TABLE: &str = ".paravirt.sites";

/// How many bytes a record has: the distance of the place from the record, and of what it becomes from the second half.
pub const RECORD_SIZE: usize = 8;

/// The fewest bytes of a place.
pub const SHORTEST: u64 = 5;

/// One record, in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Where the place is.
    pub site: u64,
    /// Where that is which it becomes.
    pub becomes: u64,
}

impl Record {
    /// Reads the record `bytes`, which is at address `at`.
    fn read(bytes: &[u8], at: u64) -> Self {
        let half = |start: usize| {
            let distance: [u8; 4] = bytes[start..start + 4].try_into().expect("a record has two halves");
            (at + start as u64).wrapping_add_signed(i32::from_le_bytes(distance).into())
        };
        Self {
            site: half(0),
            becomes: half(4),
        }
    }

    /// The same as it is written at address `at`.
    pub fn bytes(self, at: u64) -> [u8; RECORD_SIZE] {
        let distance = |to: u64, from: u64| (to.wrapping_sub(from) as i32).to_le_bytes();
        let halves = [distance(self.site, at), distance(self.becomes, at + 4)];
        halves.as_flattened().try_into().expect("two halves are a record")
    }
}

/// The table of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Where it is in the file.
    place: Range<usize>,
    /// Its address.
    address: u64,
    /// The records, in their order.
    pub records: Vec<Record>,
}

impl Table {
    /// The table in the file `image`; `None` if it has none, or an empty one.
    ///
    /// # Errors
    /// It is no ELF file, or the table is not whole records.
    pub fn of(image: &[u8]) -> Result<Option<Self>> {
        let file = object::File::parse(image)?;
        let Some(section) = file.section_by_name(TABLE).filter(|section| section.size() > 0) else {
            return Ok(None);
        };
        let (offset, size) = section.file_range().context("the table of sites is not in the file")?;
        let place = usize::try_from(offset)?..usize::try_from(offset + size)?;
        let bytes = image
            .get(place.clone())
            .context("the table of sites is not in the file")?;
        let address = section.address();
        let (records, rest) = bytes.as_chunks::<RECORD_SIZE>();
        if !rest.is_empty() {
            bail!(
                "the table of sites has {} bytes, which is not whole records",
                bytes.len()
            );
        }
        let addresses = (address..).step_by(RECORD_SIZE);
        Ok(Some(Self {
            place,
            address,
            records: records
                .iter()
                .zip(addresses)
                .map(|(bytes, at)| Record::read(bytes, at))
                .collect(),
        }))
    }

    /// Writes it back to `image`, the file that it is of.
    pub fn write(&self, image: &mut [u8]) {
        let addresses = (self.address..).step_by(RECORD_SIZE);
        let records = self
            .records
            .iter()
            .zip(addresses)
            .flat_map(|(record, at)| record.bytes(at));
        image[self.place.clone()]
            .iter_mut()
            .zip(records)
            .for_each(|(to, byte)| *to = byte);
    }
}

/// Puts the table of the file `image` in order, if it has one.
///
/// # Errors
/// It is no table, or two places overlap.
pub fn sort(image: &mut [u8]) -> Result<()> {
    let Some(mut table) = Table::of(image)? else {
        return Ok(());
    };
    table.records.sort_unstable();
    for pair in table.records.windows(2) {
        if pair[1].site < pair[0].site + SHORTEST {
            bail!("the sites at {:#x} and {:#x} overlap", pair[0].site, pair[1].site);
        }
    }
    table.write(image);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::write::{Object as Writer, SectionKind};
    use object::{Architecture, BinaryFormat, Endianness};

    /// A file whose table has these records, as if it were at address 0.
    fn file(records: &[(u64, u64)]) -> Vec<u8> {
        let bytes: Vec<u8> = (0..)
            .step_by(RECORD_SIZE)
            .zip(records)
            .flat_map(|(at, (site, becomes))| {
                Record {
                    site: *site,
                    becomes: *becomes,
                }
                .bytes(at)
            })
            .collect();
        raw(&bytes)
    }

    fn raw(table: &[u8]) -> Vec<u8> {
        let mut file = Writer::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let section = file.add_section(vec![], TABLE.into(), SectionKind::ReadOnlyData);
        file.append_section_data(section, table, 8);
        file.write().unwrap()
    }

    fn records(image: &[u8]) -> Vec<(u64, u64)> {
        let table = Table::of(image).unwrap().unwrap();
        table
            .records
            .iter()
            .map(|record| (record.site, record.becomes))
            .collect()
    }

    #[test]
    fn a_table_is_sorted_and_still_says_the_same() {
        let mut image = file(&[(0x500, 0x10), (0x20, 0x30), (0x105, 0x70)]);
        sort(&mut image).unwrap();
        assert_eq!(records(&image), [(0x20, 0x30), (0x105, 0x70), (0x500, 0x10)]);
    }

    #[test]
    fn places_that_overlap_are_named() {
        let error = sort(&mut file(&[(0x504, 0), (0x20, 0), (0x500, 0)])).unwrap_err();
        assert_eq!(error.to_string(), "the sites at 0x500 and 0x504 overlap");
    }

    #[test]
    fn an_image_without_a_table_is_left_alone_and_half_a_record_refused() {
        let mut image = raw(&[]);
        let before = image.clone();
        sort(&mut image).unwrap();
        assert_eq!(image, before);
        assert!(sort(&mut raw(&[0; 12])).unwrap_err().to_string().contains("12 bytes"));
    }
}
