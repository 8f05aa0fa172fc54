//! Images made by hand, complete and incomplete.

use super::*;

/// Where the images below are loaded: virtual, physical, and how long they are.
const VIRTUAL: u64 = 0xffff_ffff_8010_0000;
const PHYSICAL: u64 = 0x10_0000;
const LENGTH: u64 = 0x1000;

/// One note as bytes: sizes, type, owner, value, each padded to four.
fn note(owner: &[u8], kind: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [owner.len() as u32 + 1, value.len() as u32, kind] {
        bytes.extend(number.to_le_bytes());
    }
    for part in [&[owner, b"\0"].concat(), value] {
        bytes.extend(part);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// A program header.
fn segment(kind: u32, offset: u64, length: u64, align: u64) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), 5_u32.to_le_bytes()].concat();
    for number in [offset, VIRTUAL, PHYSICAL, length, length, align] {
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

/// An ELF file with one loaded segment and one of notes.
fn image(notes: &[Vec<u8>], align: u64) -> Vec<u8> {
    let notes = notes.concat();
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    for half in [2_u16, 62] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(1_u32.to_le_bytes());
    for number in [VIRTUAL, 64, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 2, 64, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(segment(elf::PT_LOAD.0, 0, LENGTH, 0x1000));
    bytes.extend(segment(elf::PT_NOTE.0, 176, notes.len() as u64, align));
    bytes.extend(notes);
    bytes.resize(LENGTH as usize, 0);
    bytes
}

/// All notes of a good Xen image.
fn good() -> Vec<Vec<u8>> {
    vec![
        note(OWNER, XEN_VERSION, b"xen-3.0\0"),
        note(OWNER, LOADER, b"generic\0"),
        note(OWNER, VIRT_BASE, &0xffff_ffff_8000_0000_u64.to_le_bytes()),
        note(OWNER, PADDR_OFFSET, &0_u64.to_le_bytes()),
        note(OWNER, ENTRY, &(VIRTUAL + 0x40).to_le_bytes()),
        note(OWNER, SUPPORTED_FEATURES, &0x8801_u64.to_le_bytes()),
    ]
}

#[test]
fn a_good_image_gives_no_complaint() {
    assert_eq!(complaints(Platform::Xen, &image(&good(), 4)), Vec::<String>::new());
    let pvh = note(OWNER, PHYS32_ENTRY, &(PHYSICAL + 0x80).to_le_bytes());
    assert_eq!(complaints(Platform::Native, &image(&[pvh], 4)), Vec::<String>::new());
}

#[test]
fn every_note_xen_needs_is_missed_by_name() {
    for (left_out, name) in ["XEN_VERSION", "LOADER", "VIRT_BASE", "PADDR_OFFSET", "ENTRY"]
        .iter()
        .enumerate()
    {
        let mut notes = good();
        notes.remove(left_out);
        let complaints = complaints(Platform::Xen, &image(&notes, 4));
        assert!(
            complaints.len() == 1 && complaints[0].contains(name),
            "{name}: {complaints:?}"
        );
    }
}

#[test]
fn wrong_values_are_named() {
    let mut notes = good();
    notes[1] = note(OWNER, LOADER, b"special\0");
    notes[4] = note(OWNER, ENTRY, &0x1000_u64.to_le_bytes());
    notes[5] = note(OWNER, SUPPORTED_FEATURES, &1_u64.to_le_bytes());
    let complaints = complaints(Platform::Xen, &image(&notes, 4));
    assert_eq!(complaints.len(), 3);
    assert!(
        complaints[0].contains("\"special\"") && complaints[1].contains("0x1000") && complaints[2].contains("dom0")
    );
}

#[test]
fn features_may_have_four_bytes() {
    let mut notes = good();
    notes[5] = note(OWNER, SUPPORTED_FEATURES, &1_u32.to_le_bytes());
    let complaints = complaints(Platform::Xen, &image(&notes, 4));
    assert!(
        complaints.len() == 1 && complaints[0].contains("dom0"),
        "{complaints:?}"
    );
}

#[test]
fn qemu_wants_eight_bytes_and_alignment_four() {
    let short = note(OWNER, PHYS32_ENTRY, &0x10_0080_u32.to_le_bytes());
    assert!(complaints(Platform::Vmi, &image(&[short], 4))[0].contains("eight bytes"));
    let good = note(OWNER, PHYS32_ENTRY, &(PHYSICAL + 0x80).to_le_bytes());
    assert!(complaints(Platform::Vmi, &image(&[good], 8))[0].contains("aligned"));
}

#[test]
fn notes_of_others_do_not_count() {
    let foreign = note(b"GNU", XEN_VERSION, b"xen-3.0\0");
    assert!(complaints(Platform::Xen, &image(&[foreign], 4))[0].contains("no ELF note"));
}

#[test]
fn malformed_files_are_refused_and_never_crash() {
    assert!(complaints(Platform::Xen, b"MZ")[0].contains("not a 64-bit ELF file"));
    let whole = image(&good(), 4);
    for length in 0..whole.len().min(600) {
        complaints(Platform::Xen, &whole[..length]);
    }
    for position in 0..400 {
        let mut broken = whole.clone();
        broken[position] ^= 0xff;
        complaints(Platform::Xen, &broken);
        complaints(Platform::Native, &broken);
    }
}
