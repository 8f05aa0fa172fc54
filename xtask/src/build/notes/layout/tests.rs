use super::super::{PHYS32_ENTRY, SUPPORTED_FEATURES};
use super::*;

/// A segment of code and one of data behind it.
fn segments() -> Vec<Segment> {
    let code = Segment {
        virtual_start: 0xffff_ffff_8010_0000,
        physical_start: 0x10_0000,
        offset: 0x1000,
        size: 0x2000,
        size_in_file: 0x2000,
        executable: true,
    };
    let data = Segment {
        virtual_start: 0xffff_ffff_8010_2000,
        physical_start: 0x10_2000,
        offset: 0x3000,
        size_in_file: 0x800,
        executable: false,
        ..code
    };
    vec![code, data]
}

/// What is wrong after `change`.
fn wrong(change: impl FnOnce(&mut Notes)) -> Vec<String> {
    let number = |kind: u32, value: u64| (kind, value.to_le_bytes().to_vec());
    let mut notes = Notes {
        found: vec![
            number(ENTRY, 0xffff_ffff_8010_0040),
            number(VIRT_BASE, 0xffff_ffff_8000_0000),
            number(PADDR_OFFSET, 0),
            number(PHYS32_ENTRY, 0x10_0080),
        ],
        segments: segments(),
        aligned: true,
    };
    change(&mut notes);
    complaints(&notes)
}

fn only(complaints: &[String]) -> &str {
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    &complaints[0]
}

#[test]
fn a_good_layout_gives_no_complaint() {
    assert_eq!(wrong(|_| {}), Vec::<String>::new());
}

#[test]
fn entries_must_be_in_code() {
    let complaints = wrong(|notes| notes.found[0].1 = 0xffff_ffff_8010_2040_u64.to_le_bytes().to_vec());
    assert!(only(&complaints).contains("(ENTRY) points to what cannot be executed: 0xffffffff80102040"));
    let complaints = wrong(|notes| notes.found[3].1 = 0x10_2040_u64.to_le_bytes().to_vec());
    assert!(only(&complaints).contains("(PHYS32_ENTRY) points to what cannot be executed: 0x102040"));
}

#[test]
fn segments_are_where_the_notes_put_them() {
    let complaints = wrong(|notes| notes.found[2].1 = 0x1000_u64.to_le_bytes().to_vec());
    assert!(
        complaints.len() == 2 && complaints[0].contains("PADDR_OFFSET"),
        "{complaints:?}"
    );
}

#[test]
fn segments_can_be_loaded() {
    let complaints = wrong(|notes| notes.segments[1].size_in_file = 0x2001);
    assert!(only(&complaints).contains("more in the file than in memory"));
    let complaints = wrong(|notes| notes.segments[1].offset += 8);
    assert!(only(&complaints).contains("same place of a page"));
    let complaints = wrong(|notes| {
        notes.segments[0].size = 0x3000;
    });
    assert!(
        complaints.len() == 2 && complaints.iter().all(|one| one.contains("two segments share")),
        "{complaints:?}"
    );
}

#[test]
fn no_note_is_there_twice() {
    let complaints = wrong(|notes| {
        let feature = || (SUPPORTED_FEATURES, 0x800_u32.to_le_bytes().to_vec());
        notes.found.extend([feature(), feature()]);
    });
    assert_eq!(only(&complaints), "note 17 is there twice");
}
