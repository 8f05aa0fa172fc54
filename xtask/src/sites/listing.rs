//! The list itself.

use super::table::{Kind, Patch};
use super::{Booted, Tables, paravirt};
use crate::audit::image::{Crate, Image, decode};
use crate::audit::violation::text;
use crate::places::Place;
use std::fmt::Write;
use std::ops::Range;

/// A place in the list.
struct Row {
    /// What is changed.
    range: Range<u64>,
    /// The end of the instructions that it is part of.
    end: u64,
    /// What it is.
    what: String,
    /// Who uses the operation there.
    user: String,
}

/// Prints each place: where it is, what it is, and its bytes as compiled and in each booted kernel.
pub fn print(image: &Image, tables: &Tables, booted: &[Booted]) {
    let of_rom = tables.rom.iter().map(|patch| of_rom(image, &tables.rom, patch));
    let of_xen = tables.xen.iter().map(|site| of_xen(image, site));
    let mut rows: Vec<_> = of_rom.chain(of_xen).collect();
    rows.sort_by_key(|row| row.range.start);
    rows.iter().for_each(|row| print!("{}", entry(image, row, booted)));
}

/// One of the `patches` of a ROM.
fn of_rom(image: &Image, patches: &[Patch], patch: &Patch) -> Row {
    let Patch { kind, call, range, .. } = patch;
    Row {
        range: range.clone(),
        end: range.end,
        what: format!("{kind:6} {:2} {}", call.number(), call.name()),
        user: user(image, origin(patches, patch)),
    }
}

/// A site that is patched under Xen.
fn of_xen(image: &Image, site: &paravirt::Site) -> Row {
    Row {
        range: site.range.clone(),
        end: site.remains(image).end,
        what: match site.kind {
            paravirt::Kind::Branch { target } => format!("branch to {target:#x}"),
            paravirt::Kind::Detour { target } => format!("detour to {target:#x}"),
            paravirt::Kind::Alternative => "alternative".to_owned(),
        },
        user: user(image, site.range.start),
    }
}

/// The lines of one place.
fn entry(image: &Image, row: &Row, booted: &[Booted]) -> String {
    let Row { range, end, what, user } = row;
    let length = range.end - range.start;
    let mut entry = format!("{:#x} {what:28} {length:2} bytes, {user}\n", range.start);
    let compiled = image.bytes(range.clone());
    let mut line = |label: &str, text: &str| writeln!(entry, "    {label:11} {text}").is_ok();
    line("as compiled", &shown(range.start, image.bytes(range.start..*end)));
    for Booted { setup, memory, .. } in booted {
        match memory.bytes(range.clone()) {
            same if same == compiled => line(&setup.label(), "the same"),
            other => line(&setup.label(), &shown(range.start, other)),
        };
    }
    entry
}

/// Where the operation stands that `patch` is part of: the place itself, or the detour that leads to the code around it.
fn origin(patches: &[Patch], patch: &Patch) -> u64 {
    let start = patch.range.start;
    let leads_here = |detour: &&Patch| match detour.kind {
        Kind::Detour { target } => (target..=start).contains(&start) && start - target < BESIDE,
        Kind::Site => false,
    };
    let detours = patches.iter().filter(leads_here);
    let nearest = detours.max_by_key(|detour| match detour.kind {
        Kind::Detour { target } => target,
        Kind::Site => 0,
    });
    nearest.map_or(start, |detour| detour.range.start)
}

/// How many bytes of what a detour leads to may stand before a site.
const BESIDE: u64 = 8;

/// Who uses the operation at `address`: the innermost line that is neither the platform's nor the border's, or the function that the code is in.
fn user(image: &Image, address: u64) -> String {
    let places = image.places(address);
    let is_of_border = |owner: &Crate| owner.is_of_platform() || owner.0 == "arch";
    let user = places.iter().find(|place| !is_of_border(&Crate::of_line(&place.line)));
    let function = image
        .function_at(address)
        .map_or("no function", |function| &function.name);
    match user {
        Some(Place { line, .. }) => format!("{function} ({line})"),
        None => function.to_owned(),
    }
}

/// Bytes, and the instructions that they are.
fn shown(address: u64, bytes: &[u8]) -> String {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let instructions: Vec<_> = decode(address, bytes).iter().map(text).collect();
    format!("{:47}  {}", hex.join(" "), instructions.join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{booted, patch, site};
    use super::*;
    use crate::audit::image::sample::image;

    /// Eight bytes of prefixes and `cli`.
    const COMPILED: [u8; 9] = [0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0xfa];
    /// What some make of it.
    const MASKED: [u8; 9] = [0x65, 0xc6, 0x04, 0x25, 1, 0, 0, 0, 0];

    fn compiled() -> Image {
        image(&[("f", &|a| a.db(&COMPILED).unwrap())])
    }

    #[test]
    fn a_site_is_shown_before_and_after() {
        let (image, patch) = (compiled(), patch(0..9));
        let booted = [
            booted("vmi", Some("native"), COMPILED.to_vec()),
            booted("vmi", Some("soft-if"), MASKED.to_vec()),
        ];
        let expected = "\
0x0 site   30 DisableInterrupts   9 bytes, f
    as compiled 2e 2e 2e 2e 2e 2e 2e 2e fa                       cli
    native      the same
    soft-if     65 c6 04 25 01 00 00 00 00                       mov byte ptr gs:[1], 0
";
        let row = of_rom(&image, std::slice::from_ref(&patch), &patch);
        assert_eq!(entry(&image, &row, &booted), expected);
    }

    #[test]
    fn a_site_under_xen_is_shown_with_what_it_is() {
        let image = compiled();
        let mut site = site(0..9, &MASKED);
        let title = |site: &paravirt::Site| {
            let entry = entry(&image, &of_xen(&image, site), &[]);
            entry.lines().next().unwrap().to_owned()
        };
        assert_eq!(title(&site), "0x0 alternative                   9 bytes, f");
        site.kind = paravirt::Kind::Branch {
            target: 0xffff_ffff_8010_0000,
        };
        assert_eq!(title(&site), "0x0 branch to 0xffffffff80100000  9 bytes, f");
    }

    #[test]
    fn a_site_that_a_detour_leads_to_is_where_the_detour_is() {
        let detour = |target| Patch {
            kind: Kind::Detour { target },
            ..patch(100..105)
        };
        let at = |start: u64| patch(start..start + 9);
        assert_eq!(origin(&[detour(198), at(200)], &at(200)), 100);
        assert_eq!(origin(&[detour(100), detour(201), at(200)], &at(200)), 200);
    }
}
