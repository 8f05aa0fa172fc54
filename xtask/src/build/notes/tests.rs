//! Sound images, and what is said when one thing about them is not.

use super::headers::OWNER;
use super::sample::{LENGTH, PHYSICAL, START, START_UNDER_XEN, STUB, STUB_SYMBOL, Sample, VIRTUAL};
use super::*;
use bootloader_api::BootloaderConfig;
use bootloader_api::config::Mapping;

/// What is wrong with a sound image for `platform` after `change`.
fn wrong(platform: Platform, change: impl FnOnce(&mut Sample)) -> Vec<String> {
    wrong_for_all(&[platform], change)
}

/// What is wrong with a sound image for all of `platforms` after `change`.
fn wrong_for_all(platforms: &[Platform], change: impl FnOnce(&mut Sample)) -> Vec<String> {
    let mut sample = Sample::of(platforms);
    change(&mut sample);
    complaints(platforms, &sample.file(), &sample.symbols)
}

/// Asserts that there is one complaint, in which each of `words` occurs.
#[track_caller]
fn assert_one(complaints: &[String], words: &[&str]) {
    assert!(
        complaints.len() == 1 && words.iter().all(|word| complaints[0].contains(word)),
        "{words:?}: {complaints:#?}"
    );
}

#[test]
fn a_sound_image_gives_no_complaint() {
    for platform in Platform::ALL {
        assert_eq!(wrong(platform, |_| {}), Vec::<String>::new(), "{platform}");
    }
}

#[test]
fn an_image_of_several_platforms_has_what_each_needs() {
    let pairs = [
        [Platform::Native, Platform::Xen],
        [Platform::Native, Platform::Vmi],
        [Platform::Xen, Platform::Vmi],
    ];
    for platforms in pairs.iter().map(<[_; 2]>::as_slice).chain([Platform::ALL.as_slice()]) {
        assert_eq!(wrong_for_all(platforms, |_| {}), Vec::<String>::new(), "{platforms:?}");
    }
    let found = wrong_for_all(&Platform::ALL, |all| all.notes.retain(|note| note.1 != PHYS32_ENTRY));
    assert_one(&found, &["(PHYS32_ENTRY) is missing"]);
    let found = wrong_for_all(&Platform::ALL, |all| all.notes.retain(|note| note.1 != ENTRY));
    assert_one(&found, &["(ENTRY) is missing"]);
    let found = wrong_for_all(&Platform::ALL, |all| all.configuration.clear());
    assert_one(&found, &[".bootloader-config is missing"]);
    let found = wrong_for_all(&pairs[0], |both| both.notes.push((OWNER, 99, vec![0; 8])));
    assert_one(&found, &["note 99 is none that an image for native and xen has"]);
}

#[test]
fn an_image_of_several_platforms_has_another_entry_for_xen_than_for_the_bootloader() {
    let found = wrong_for_all(&Platform::ALL, |all| all.set(ENTRY, &(VIRTUAL + START).to_le_bytes()));
    assert_one(&found, &["note 1 (ENTRY) does not point to xen_start"]);
    let found = wrong_for_all(&Platform::ALL, |all| all.entry = VIRTUAL + START_UNDER_XEN);
    assert_one(&found, &["entry in the ELF header does not point to _start"]);
}

#[test]
fn an_image_for_another_platform_is_none() {
    let xen = Sample::of(&[Platform::Xen]);
    let found = complaints(&[Platform::Native], &xen.file(), &xen.symbols);
    for words in ["(PHYS32_ENTRY) is missing", "(VIRT_BASE) is none", "-config is missing"] {
        assert!(found.iter().any(|one| one.contains(words)), "{words}: {found:?}");
    }
}

#[test]
fn every_note_xen_needs_is_missed_by_name() {
    for kind in [XEN_VERSION, LOADER, VIRT_BASE, PADDR_OFFSET, ENTRY] {
        let found = wrong(Platform::Xen, |xen| xen.notes.retain(|note| note.1 != kind));
        assert_one(&found, &[&named(kind), "is missing"]);
    }
}

#[test]
fn wrong_values_are_named() {
    let found = wrong(Platform::Xen, |xen| xen.set(LOADER, b"special\0"));
    assert_one(&found, &["note 8 (LOADER) is \"special\"", "\"generic\""]);
    let found = wrong(Platform::Xen, |xen| xen.set(XEN_VERSION, b"xen-4.0\0"));
    assert_one(&found, &["(XEN_VERSION) is \"xen-4.0\""]);
    for without_dom0 in [1_u32.to_le_bytes().to_vec(), 1_u64.to_le_bytes().to_vec()] {
        let found = wrong(Platform::Xen, |xen| xen.set(SUPPORTED_FEATURES, &without_dom0));
        assert_one(&found, &["(SUPPORTED_FEATURES)", "dom0"]);
    }
}

#[test]
fn xen_is_told_the_distance_that_the_segments_have() {
    let found = wrong(Platform::Xen, |xen| xen.set(VIRT_BASE, &VIRTUAL.to_le_bytes()));
    assert_one(&found, &["(VIRT_BASE) is 0xffffffff80100000"]);
    let found = wrong(Platform::Xen, |xen| xen.set(PADDR_OFFSET, &0x1000_u64.to_le_bytes()));
    assert_one(&found, &["(PADDR_OFFSET) is 0x1000"]);
}

#[test]
fn qemu_wants_eight_bytes_and_alignment_four() {
    let short = 0x10_0080_u32.to_le_bytes();
    let found = wrong(Platform::Vmi, |vmi| vmi.set(PHYS32_ENTRY, &short));
    assert_one(&found, &["(PHYS32_ENTRY) is missing", "eight bytes"]);
    assert_one(&wrong(Platform::Vmi, |vmi| vmi.alignment = 8), &["aligned to 4"]);
}

#[test]
fn notes_of_others_do_not_count() {
    let found = wrong(Platform::Xen, |xen| {
        xen.notes = vec![(b"GNU", XEN_VERSION, b"xen-3.0\0".to_vec())];
    });
    assert_one(&found, &["no ELF note"]);
}

#[test]
fn no_note_is_there_twice() {
    let found = wrong(Platform::Native, |native| native.notes.push(native.notes[0].clone()));
    assert_one(&found, &["(PHYS32_ENTRY) is there 2 times"]);
    let found = wrong(Platform::Xen, |xen| {
        xen.notes.push((OWNER, SUPPORTED_FEATURES, vec![0, 8, 0, 0]));
    });
    assert_one(&found, &["note 17 (SUPPORTED_FEATURES) is there 2 times"]);
}

#[test]
fn unknown_notes_and_those_of_other_platforms_are_refused() {
    let with = |platform, kind| wrong(platform, |sample| sample.notes.push((OWNER, kind, vec![0; 8])));
    assert_one(
        &with(Platform::Native, 99),
        &["note 99 is none that an image for native"],
    );
    assert_one(&with(Platform::Vmi, XEN_VERSION), &["(XEN_VERSION) is none", "for vmi"]);
    assert_one(&with(Platform::Xen, PHYS32_ENTRY), &["(PHYS32_ENTRY) is none", "xen"]);
    assert_one(&with(Platform::Xen, HYPERCALL_PAGE), &["(HYPERCALL_PAGE) is none"]);
}

#[test]
fn the_entry_in_the_header_is_the_function_that_is_meant() {
    for platform in Platform::ALL {
        let entry = |address| wrong(platform, |sample| sample.entry = address);
        assert_one(
            &entry(VIRTUAL + 0x10),
            &["entry in the ELF header does not point to _start"],
        );
        assert_one(
            &entry(VIRTUAL + STUB),
            &["entry in the ELF header does not point to _start"],
        );
        assert_one(&entry(VIRTUAL + LENGTH), &["ELF header", "cannot be executed"]);
        assert_one(&entry(PHYSICAL + START), &["ELF header", "outside the image: 0x100040"]);
    }
}

#[test]
fn the_entry_for_xen_is_the_function_that_is_meant() {
    let entry = |address: u64| wrong(Platform::Xen, |xen| xen.set(ENTRY, &address.to_le_bytes()));
    assert_one(&entry(VIRTUAL + STUB), &["note 1 (ENTRY) does not point to _start"]);
    assert_one(&entry(VIRTUAL + LENGTH), &["note 1 (ENTRY)", "cannot be executed"]);
    assert_one(&entry(0x1000), &["note 1 (ENTRY) points outside the image: 0x1000"]);
}

#[test]
fn the_32_bit_entry_is_the_function_that_is_meant() {
    for platform in [Platform::Native, Platform::Vmi] {
        let entry = |address: u64| wrong(platform, |sample| sample.set(PHYS32_ENTRY, &address.to_le_bytes()));
        assert_one(
            &entry(PHYSICAL + START),
            &["(PHYS32_ENTRY) does not point to", "stub::start"],
        );
        assert_one(
            &entry(PHYSICAL + LENGTH),
            &["(PHYS32_ENTRY)", "cannot be executed: 0x101000"],
        );
        assert_one(&entry(VIRTUAL + STUB), &["(PHYS32_ENTRY) points outside the image"]);
    }
}

#[test]
fn entries_without_symbols_lead_nowhere() {
    let found = wrong(Platform::Native, |native| {
        native.symbols.retain(|name, _| name != STUB_SYMBOL)
    });
    assert_one(&found, &["(PHYS32_ENTRY) does not point to"]);
    assert_eq!(wrong(Platform::Xen, |xen| xen.symbols.clear()).len(), 2);
}

#[test]
fn segments_are_where_the_kernel_takes_them_to_be() {
    for platform in Platform::ALL {
        let found = wrong(platform, |sample| sample.segments[1].physical_start += 0x10_0000);
        assert_one(
            &found,
            &["segment at 0xffffffff80101000 (physical 0x201000)", "as far above"],
        );
    }
}

#[test]
fn segments_are_whole_pages_of_their_own() {
    let change = |change: fn(&mut sample::Loaded)| wrong(Platform::Native, |native| change(&mut native.segments[1]));
    let found = change(|data| {
        data.virtual_start += 0x800;
        data.physical_start += 0x800;
        data.offset += 0x800;
    });
    assert_one(&found, &["0xffffffff80101800", "does not begin with a page"]);
    assert_one(&change(|data| data.offset = 8), &["same place of a page"]);
    assert_one(&change(|data| data.alignment = 0x200), &["not aligned to pages"]);
    assert_one(&change(|data| data.alignment = 0x3000), &["not aligned to pages"]);
    let found = wrong(Platform::Native, |native| native.segments[0].size += 1);
    assert_one(&found, &["two segments share the page at 0xffffffff80101000"]);
}

#[test]
fn segments_are_in_the_file() {
    let change = |change: fn(&mut sample::Loaded)| wrong(Platform::Xen, |xen| change(&mut xen.segments[1]));
    assert_one(&change(|data| data.size = 0x7ff), &["more in the file than in memory"]);
    assert_one(&change(|data| data.offset = LENGTH), &["beyond the end of the file"]);
}

#[test]
fn the_configuration_is_there_where_it_is_read() {
    let default = BootloaderConfig::new_default().serialize();
    let found = wrong(Platform::Xen, |xen| xen.configuration = default.to_vec());
    assert_one(&found, &[".bootloader-config is there"]);
    for platform in [Platform::Native, Platform::Vmi] {
        let found = wrong(platform, |sample| sample.configuration.clear());
        assert_one(&found, &[".bootloader-config is missing"]);
    }
}

#[test]
fn the_configuration_can_be_read() {
    let found = wrong(Platform::Vmi, |vmi| vmi.configuration.truncate(132));
    assert_one(&found, &["(132 bytes of 133): invalid len"]);
    let found = wrong(Platform::Native, |native| native.configuration.push(0));
    assert_one(&found, &["(134 bytes of 133): invalid len"]);
    let found = wrong(Platform::Native, |native| native.configuration[0] ^= 1);
    assert_one(&found, &["cannot be read", "invalid UUID"]);
}

#[test]
fn the_configuration_asks_for_what_the_kernel_needs() {
    let with = |change: fn(&mut BootloaderConfig)| {
        wrong(Platform::Native, |native| {
            let mut configuration = BootloaderConfig::deserialize(&native.configuration).unwrap();
            change(&mut configuration);
            native.configuration = configuration.serialize().to_vec();
        })
    };
    assert_one(
        &with(|it| it.mappings.physical_memory = None),
        &["physical memory at 0xffff888000000000, but has None"],
    );
    let anywhere = with(|it| it.mappings.physical_memory = Some(Mapping::Dynamic));
    assert_one(&anywhere, &["but has Some(Dynamic)"]);
    let elsewhere = with(|it| it.mappings.physical_memory = Some(Mapping::FixedAddress(0xffff_9000_0000_0000)));
    assert_one(&elsewhere, &["but has Some(FixedAddress(ffff900000000000))"]);
    let moved = with(|it| it.mappings.kernel_base = Mapping::FixedAddress(IMAGE_BASE));
    assert_one(&moved, &["asks for the image at an address"]);
}

#[test]
fn malformed_files_are_refused_and_never_crash() {
    let symbols = BTreeMap::new();
    assert_one(&complaints(&[Platform::Xen], b"MZ", &symbols), &["64-bit ELF file"]);
    let whole = Sample::of(&[Platform::Xen]).file();
    for length in 0..whole.len().min(1000) {
        complaints(&[Platform::Xen], &whole[..length], &symbols);
    }
    for position in 0..1000 {
        let mut broken = whole.clone();
        broken[position] ^= 0xff;
        complaints(&[Platform::Xen], &broken, &symbols);
        complaints(&[Platform::Native], &broken, &symbols);
    }
}
