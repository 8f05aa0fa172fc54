//! Faults: the site that the kernel is to name is the one that has it.

use super::*;
use crate::build::paravirt_sites::{RECORD_SIZE, Record, TABLE};
use object::build::elf::Builder;
use object::write::Object as Writer;
use object::{Architecture, BinaryFormat, Endianness};

/// Where the sample has its code, the alternative, and the table.
const ADDRESSES: [(&str, u64); 3] = [(".text", 0x1000), (".rodata", 0x2000), (TABLE, 0x3000)];
/// An alternative of three bytes for a site of as many.
const ALTERNATIVE: [u8; 5] = [3, 3, 0x90, 0x90, 0x90];
/// A site that becomes the alternative, and one that becomes a jump.
const RECORDS: [Record; 2] = [
    Record {
        site: 0x1008,
        becomes: 0x2000,
    },
    Record {
        site: 0x1010,
        becomes: 0x1030,
    },
];

/// A linked image with these two sites.
fn sample() -> Vec<u8> {
    let [_, _, (_, at)] = ADDRESSES;
    let table = (at..).step_by(RECORD_SIZE).zip(RECORDS);
    let table: Vec<u8> = table.flat_map(|(at, record)| record.bytes(at)).collect();
    let contents = [[0x90; 0x40].as_slice(), &ALTERNATIVE, &table];
    let kinds = [SectionKind::Text, SectionKind::ReadOnlyData, SectionKind::ReadOnlyData];
    let mut file = Writer::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for (((name, _), content), kind) in ADDRESSES.iter().zip(contents).zip(kinds) {
        let section = file.add_section(vec![], (*name).into(), kind);
        file.append_section_data(section, content, 8);
    }
    linked(&file.write().unwrap())
}

/// The object file `object` with its sections at their addresses.
fn linked(object: &[u8]) -> Vec<u8> {
    let mut file = Builder::read(object).unwrap();
    for section in &mut file.sections {
        let address = ADDRESSES
            .iter()
            .find(|(name, _)| section.name.as_slice() == name.as_bytes());
        section.sh_addr = address.map_or(0, |(_, address)| *address);
    }
    let mut linked = Vec::new();
    file.write(&mut linked).unwrap();
    linked
}

/// The two records of `image`, each as site and what it becomes.
fn records(image: &[u8]) -> [(u64, u64); 2] {
    let records = Table::of(image).unwrap().unwrap().records;
    [0, 1].map(|record: usize| (records[record].site, records[record].becomes))
}

#[test]
fn each_fault_is_in_the_table_at_the_site_that_is_to_be_named() {
    let whole = [(0x1008, 0x2000), (0x1010, 0x1030)];
    assert_eq!(records(&sample()), whole);
    let expected = [
        (Fault::Overlap, 0x100c, [whole[0], (0x100c, 0x1030)]),
        (Fault::Outside, 0xfff, [(0xfff, 0x2000), whole[1]]),
        (Fault::NoBranch, 0x1011, [whole[0], (0x1011, 0x1030)]),
        (Fault::Astray, 0x1008, [(0x1008, 0xfff), whole[1]]),
        (Fault::Length, 0x1008, whole),
    ];
    for (fault, site, broken) in expected {
        let mut image = sample();
        assert_eq!(fault.put_into(&mut image).unwrap(), site, "{fault:?}");
        assert_eq!(records(&image), broken, "{fault:?}");
    }
}

#[test]
fn the_length_is_wrong_where_the_alternative_is() {
    let mut image = sample();
    Fault::Length.put_into(&mut image).unwrap();
    let file = object::File::parse(&*image).unwrap();
    let constants = file.section_by_name(".rodata").unwrap().data().unwrap();
    assert_eq!(constants, [5, 3, 0x90, 0x90, 0x90]);
}

#[test]
fn an_image_without_what_a_fault_needs_is_named_with_the_test() {
    let error = Fault::Length.kernel(
        &Writer::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little)
            .write()
            .unwrap(),
    );
    let said = format!("{:#}", error.unwrap_err());
    assert_eq!(
        said,
        "no image for the test \"refuses what has another length\": it has no table of sites"
    );
}
