//! The list itself.

use super::Booted;
use super::table::{Kind, Patch};
use crate::audit::image::{Crate, Image, decode};
use crate::audit::violation::text;
use crate::places::Place;
use std::fmt::Write;
use std::ops::Range;

/// Prints each place: where it is, what it is, and its bytes as compiled and under each ROM.
pub fn print(image: &Image, patches: &[Patch], booted: &[Booted]) {
    for patch in patches {
        let user = user(image, origin(patches, patch));
        print!("{}", entry(image, patch, &user, booted));
    }
}

/// One place in the list; `user` is who uses the operation there.
fn entry(image: &Image, patch: &Patch, user: &str, booted: &[Booted]) -> String {
    let Patch { kind, call, range, .. } = patch;
    let length = range.end - range.start;
    let mut entry = format!(
        "{:#x} {kind:6} {:2} {:18} {length:2} bytes, {user}\n",
        range.start,
        call.number(),
        call.name(),
    );
    let compiled = image.bytes(range.clone());
    let mut line = |label: &str, bytes: &[u8]| writeln!(entry, "    {label:11} {}", shown(range.start, bytes)).is_ok();
    line("as compiled", compiled);
    for Booted { rom, memory } in booted {
        match memory.bytes(range.clone()) {
            same if same == compiled => writeln!(entry, "    {rom:11} the same").is_ok(),
            other => writeln!(entry, "    {rom:11} {}", shown(range.start, other)).is_ok(),
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

/// What became of all places under one ROM, in a line.
pub fn summary(image: &Image, patches: &[Patch], booted: &Booted) -> String {
    let changed = |kind: fn(&Kind) -> bool| {
        let of_kind = || patches.iter().filter(move |patch| kind(&patch.kind));
        let is_other = |range: &Range<u64>| image.bytes(range.clone()) != booted.memory.bytes(range.clone());
        (
            of_kind().filter(|patch| is_other(&patch.range)).count(),
            of_kind().count(),
        )
    };
    let (sites, all_sites) = changed(|kind| matches!(kind, Kind::Site));
    let (detours, all_detours) = changed(|kind| matches!(kind, Kind::Detour { .. }));
    let metadata: usize = patches.iter().map(|patch| patch.record).sum();
    format!(
        "ROM {}: {sites} of {all_sites} sites changed, {detours} of {all_detours} detours opened, nothing else; {metadata} bytes tell of them",
        booted.rom
    )
}

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::*;
    use crate::audit::image::sample::image;
    use vmi64::Call;

    /// A site of call 30, eight bytes of prefixes and `cli`, and what two ROMs made of it.
    fn list() -> (Image, Patch, [Booted; 2]) {
        let compiled = [0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0xfa];
        let masked = vec![0x65, 0xc6, 0x04, 0x25, 1, 0, 0, 0, 0];
        let image = image(&[("f", &|a| a.db(&compiled).unwrap())]);
        let patch = Patch {
            kind: Kind::Site,
            call: Call::DisableInterrupts,
            range: 0..9,
            record: 5,
        };
        let booted = |rom: &str, bytes| Booted {
            rom: rom.to_owned(),
            memory: Memory::of(0, bytes),
        };
        (
            image,
            patch,
            [booted("native", compiled.to_vec()), booted("soft-if", masked)],
        )
    }

    #[test]
    fn a_site_is_shown_before_and_after() {
        let (image, patch, booted) = list();
        let expected = "\
0x0 site   30 DisableInterrupts   9 bytes, f
    as compiled 2e 2e 2e 2e 2e 2e 2e 2e fa                       cli
    native      the same
    soft-if     65 c6 04 25 01 00 00 00 00                       mov byte ptr gs:[1], 0
";
        assert_eq!(entry(&image, &patch, &user(&image, 0), &booted), expected);
    }

    #[test]
    fn a_site_that_a_detour_leads_to_is_where_the_detour_is() {
        let (_, site, _) = list();
        let detour = |target| Patch {
            kind: Kind::Detour { target },
            range: 100..105,
            ..site.clone()
        };
        let at = |start: u64| Patch {
            range: start..start + 9,
            ..site.clone()
        };
        assert_eq!(origin(&[detour(198), at(200)], &at(200)), 100);
        assert_eq!(origin(&[detour(100), detour(201), at(200)], &at(200)), 200);
    }

    #[test]
    fn the_summary_counts_changes() {
        let (image, patch, booted) = list();
        let summaries = booted.map(|each| summary(&image, std::slice::from_ref(&patch), &each));
        assert!(
            summaries[0].starts_with("ROM native: 0 of 1 sites changed, 0 of 0 detours"),
            "{}",
            summaries[0]
        );
        assert!(
            summaries[1].ends_with("1 of 1 sites changed, 0 of 0 detours opened, nothing else; 5 bytes tell of them")
        );
    }
}
