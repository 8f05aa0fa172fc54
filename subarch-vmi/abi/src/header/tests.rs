//! A correct ROM, then each of its lies in turn, then anything at all.

use super::*;
use crate::seal::{seal, sealed_length};
use proptest::prelude::*;

/// The smallest correct ROM: a header, and two functions that return at once.
fn rom() -> Vec<u8> {
    let mut rom = vec![0; HEADER_SIZE];
    rom[..2].copy_from_slice(&[0x55, 0xaa]);
    rom[8..12].copy_from_slice(b"cVmi");
    rom[MAJOR_VERSION] = MAJOR;
    rom[NAME..NAME + 4].copy_from_slice(b"test");
    rom[DATA_PAGES] = 3;
    for (slot, target) in [(SLOT_INIT, 0x90), (SLOT_GET_RELOCATION, 0x91)] {
        rom[slot] = JUMP_REL32;
        rom[slot + 1] = (target - slot - 5) as u8;
    }
    rom.extend([0xc3, 0xc3]);
    rom[IMAGE_LENGTH] = rom.len() as u8;
    rom.resize(sealed_length(rom.len()), 0);
    seal(&mut rom).unwrap();
    rom
}

/// The correct ROM with one byte changed and the checksum made right again.
fn changed(offset: usize, value: u8) -> Vec<u8> {
    let mut rom = rom();
    rom[CHECKSUM] = rom[CHECKSUM].wrapping_add(rom[offset]).wrapping_sub(value);
    rom[offset] = value;
    rom
}

#[test]
fn a_correct_rom_is_accepted() {
    let header = Header::parse(&rom()).unwrap();
    assert_eq!((header.name(), header.rom_length, header.data_pages), ("test", 512, 3));
    assert_eq!((header.image_pages(), header.total_pages()), (1, 4));
}

#[test]
fn each_lie_has_its_name() {
    let cases: [(usize, u8, HeaderError); 9] = [
        (0x00, 0x54, HeaderError::Signature),
        (0x0b, b'I', HeaderError::Signature),
        (
            ROM_LENGTH,
            2,
            HeaderError::TruncatedArea {
                claimed: 1024,
                available: 512,
            },
        ),
        (
            ROM_LENGTH,
            0,
            HeaderError::TruncatedArea {
                claimed: 0,
                available: 512,
            },
        ),
        (MAJOR_VERSION, 3, HeaderError::Major(3)),
        (
            IMAGE_LENGTH + 1,
            2,
            HeaderError::TruncatedImage { image: 0x292, rom: 512 },
        ),
        (
            IMAGE_LENGTH,
            0x8f,
            HeaderError::TruncatedImage { image: 0x8f, rom: 512 },
        ),
        (SLOT_INIT, 0xeb, HeaderError::EntrySlot(SLOT_INIT)),
        (NAME, 0, HeaderError::Name),
    ];
    for (offset, value, error) in cases {
        assert_eq!(Header::parse(&changed(offset, value)), Err(error));
    }
}

#[test]
fn an_entry_outside_the_image_is_refused() {
    let beyond = changed(SLOT_GET_RELOCATION + 2, 0x01);
    assert_eq!(Header::parse(&beyond), Err(HeaderError::EntrySlot(SLOT_GET_RELOCATION)));
}

#[test]
fn a_wrong_sum_is_told() {
    let mut rom = rom();
    rom[0x100] = 5;
    assert_eq!(Header::parse(&rom), Err(HeaderError::Checksum(5)));
}

#[test]
fn an_immodest_number_of_data_pages_does_not_overflow() {
    let mut rom = rom();
    rom[DATA_PAGES..DATA_PAGES + 4].fill(0xff);
    seal(&mut rom).unwrap();
    assert_eq!(Header::parse(&rom).unwrap().total_pages(), 1 + u32::MAX as usize);
}

proptest! {
    #[test]
    fn anything_is_accepted_or_refused(bytes: Vec<u8>) {
        let _ = Header::parse(&bytes);
    }

    #[test]
    fn anything_behind_a_signature_is_accepted_or_refused(noise in prop::collection::vec(any::<(u16, u8)>(), 0..40), length: u16) {
        let mut rom = rom();
        for (offset, value) in noise {
            let offset = usize::from(offset) % rom.len();
            rom[offset] = value;
        }
        rom.truncate(usize::from(length) % 700);
        if let Ok(header) = Header::parse(&rom) {
            prop_assert!(header.rom_length <= rom.len());
            prop_assert!(header.name().len() <= NAME_SIZE);
        }
    }
}
