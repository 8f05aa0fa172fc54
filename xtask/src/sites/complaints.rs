//! What is wrong with the code of a booted kernel.

use super::{Booted, Tables, paravirt};
use crate::audit::image::Image;
use std::fmt;
use std::ops::Range;

/// How many bytes the kernel may spend to tell of one place that a ROM changes.
const ROM_RECORD: usize = 16;
/// And of one that the entry of Xen changes.
const XEN_RECORD: usize = 8;

/// A complaint for each kind of place whose records are larger than they may be.
pub fn oversized(tables: &Tables) -> Vec<String> {
    let complaint = |kind: &dyn fmt::Display, record: usize, limit: usize| {
        (record > limit).then(|| format!("the record of a {kind} has {record} bytes, and may have {limit}"))
    };
    let of_rom = tables
        .rom
        .iter()
        .map(|patch| complaint(&patch.kind, patch.record, ROM_RECORD));
    let of_xen = tables
        .xen
        .iter()
        .map(|site| complaint(&"site under Xen", site.record, XEN_RECORD));
    let mut complaints: Vec<_> = of_rom.chain(of_xen).flatten().collect();
    complaints.dedup();
    complaints
}

/// Complaints about a booted kernel: code that nobody should have changed, and sites that are not as Xen should have them.
pub fn of(image: &Image, tables: &Tables, booted: &Booted) -> Vec<String> {
    let mut complaints = elsewhere(image, &tables.open(booted.changer), booted);
    complaints.extend(unlike(tables.under_xen(booted.changer), booted));
    complaints
}

/// Complaints about code that is in none of the `open` places and not as compiled.
fn elsewhere(image: &Image, open: &[Range<u64>], booted: &Booted) -> Vec<String> {
    let mut complaints = Vec::new();
    for section in image.code() {
        let mut start = section.range.start;
        let behind = section.range.end..section.range.end;
        for place in open.iter().chain([&behind]) {
            let between = start..place.start;
            complaints.extend(changed(image, between, booted).map(|range| {
                format!(
                    "{}: the code at {:#x} to {:#x} is not as compiled, and nobody may change it",
                    booted.setup, range.start, range.end
                )
            }));
            start = place.end;
        }
    }
    complaints
}

/// From the first to the last byte of `range` that is not as compiled.
fn changed(image: &Image, range: Range<u64>, booted: &Booted) -> Option<Range<u64>> {
    let (compiled, found) = (image.bytes(range.clone()), booted.memory.bytes(range.clone()));
    let differs = |at: &u64| {
        let offset = (at - range.start) as usize;
        compiled.get(offset) != found.get(offset)
    };
    let first = range.clone().find(differs)?;
    let last = range.clone().rfind(differs)?;
    Some(first..last + 1)
}

/// Complaints about sites that are not what they should have become.
fn unlike(sites: &[paravirt::Site], booted: &Booted) -> Vec<String> {
    let found = |site: &paravirt::Site| booted.memory.bytes(site.range.clone()).to_vec();
    let wrong = sites.iter().filter(|site| found(site) != site.becomes);
    wrong
        .map(|site| {
            format!(
                "{}: the site at {:#x} is {:02x?}, and its record says {:02x?}",
                booted.setup,
                site.range.start,
                found(site),
                site.becomes
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{booted, patch, site};
    use super::*;
    use crate::audit::image::sample::image;

    /// Sixteen instructions that do nothing.
    fn code() -> Image {
        image(&[("code", &|a| (0..16).for_each(|_| a.nop().unwrap()))])
    }

    /// Those, with a byte changed.
    fn changed_at(changed: usize) -> Vec<u8> {
        let mut code = vec![0x90; 16];
        code[changed] = 0xcc;
        code
    }

    fn tables() -> Tables {
        Tables {
            rom: vec![patch(4..9)],
            xen: vec![site(10..13, &[0xcc, 0x90, 0x90])],
        }
    }

    #[test]
    fn large_records_are_named_once() {
        let mut tables = tables();
        assert!(oversized(&tables).is_empty());
        tables.xen[0].record = 9;
        tables.rom[0].record = 17;
        tables.rom.push(tables.rom[0].clone());
        assert_eq!(
            oversized(&tables),
            [
                "the record of a site has 17 bytes, and may have 16",
                "the record of a site under Xen has 9 bytes, and may have 8"
            ]
        );
    }

    #[test]
    fn a_rom_may_change_its_sites_and_nothing_else() {
        let complaints = |changed| of(&code(), &tables(), &booted("vmi", Some("call"), changed_at(changed)));
        assert!((4..9).all(|changed| complaints(changed).is_empty()));
        assert_eq!(
            complaints(9),
            ["vmi call: the code at 0x9 to 0xa is not as compiled, and nobody may change it"]
        );
        assert!([3, 10, 15].into_iter().all(|changed| complaints(changed).len() == 1));
    }

    #[test]
    fn without_a_rom_and_on_native_nothing_may_change() {
        for (platform, rom) in [("vmi", Some("none")), ("native", None)] {
            let complaints = |bytes| of(&code(), &tables(), &booted(platform, rom, bytes));
            assert!(complaints(vec![0x90; 16]).is_empty());
            assert!((0..16).all(|changed| complaints(changed_at(changed)).len() == 1));
        }
    }

    #[test]
    fn under_xen_each_site_is_what_its_record_says() {
        let complaints = |changed| of(&code(), &tables(), &booted("xen", None, changed_at(changed)));
        assert!(complaints(10).is_empty());
        assert_eq!(
            complaints(11),
            ["xen dom0: the site at 0xa is [90, cc, 90], and its record says [cc, 90, 90]"]
        );
        assert_eq!(complaints(4).len(), 2, "the site is as compiled, and a ROM's is not");
    }

    #[test]
    fn memory_that_was_not_read_is_not_as_compiled() {
        assert_eq!(of(&code(), &tables(), &booted("native", None, Vec::new())).len(), 1);
    }
}
