//! What became of all places of one booted kernel, in a line.

use super::table::{self, Patch};
use super::{Booted, Changer, Tables, paravirt};
use crate::audit::image::Image;
use std::ops::Range;

/// The line; `clean` if nothing is changed that may not be.
pub fn line(image: &Image, tables: &Tables, booted: &Booted, clean: bool) -> String {
    let is_changed = |range: &Range<u64>| image.bytes(range.clone()) != booted.memory.bytes(range.clone());
    let text = match booted.changer {
        Changer::Nobody => nothing(tables, clean),
        Changer::Rom => by_rom(&tables.rom, is_changed, clean),
        Changer::Xen => by_xen(&tables.xen, is_changed, clean),
    };
    format!("{}: {text}", booted.setup)
}

/// Of a kernel that nobody changes.
fn nothing(tables: &Tables, clean: bool) -> String {
    let places = format!("a ROM may change {} places, Xen {}", tables.rom.len(), tables.xen.len());
    if clean {
        format!("nothing changed; {places}")
    } else {
        format!("code was changed; {places}, and neither is here")
    }
}

/// Of a kernel that a ROM has changed.
fn by_rom(patches: &[Patch], is_changed: impl Fn(&Range<u64>) -> bool, clean: bool) -> String {
    let count = |kind: fn(&table::Kind) -> bool| {
        let of_kind = || patches.iter().filter(move |patch| kind(&patch.kind));
        (
            of_kind().filter(|patch| is_changed(&patch.range)).count(),
            of_kind().count(),
        )
    };
    let (sites, all_sites) = count(|kind| matches!(kind, table::Kind::Site));
    let (detours, all_detours) = count(|kind| matches!(kind, table::Kind::Detour { .. }));
    let metadata: usize = patches.iter().map(|patch| patch.record).sum();
    format!(
        "{sites} of {all_sites} sites changed, {detours} of {all_detours} detours opened, {}; {metadata} bytes tell of them",
        rest(clean)
    )
}

/// Of a kernel that has made itself Xen's.
fn by_xen(sites: &[paravirt::Site], is_changed: impl Fn(&Range<u64>) -> bool, clean: bool) -> String {
    let changed = sites.iter().filter(|site| is_changed(&site.range)).count();
    let count = |is_kind: fn(&paravirt::Kind) -> bool| sites.iter().filter(|site| is_kind(&site.kind)).count();
    let branches = count(|kind| matches!(kind, paravirt::Kind::Branch { .. }));
    let detours = count(|kind| matches!(kind, paravirt::Kind::Detour { .. }));
    let alternatives = count(|kind| *kind == paravirt::Kind::Alternative);
    let metadata: usize = sites.iter().map(|site| site.record).sum();
    format!(
        "{changed} of {} sites changed ({alternatives} alternatives, {detours} detours, {branches} branches), {}; {metadata} bytes tell of them",
        sites.len(),
        rest(clean)
    )
}

fn rest(clean: bool) -> &'static str {
    if clean {
        "nothing else"
    } else {
        "and not only as they should be"
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{booted, patch, site};
    use super::*;
    use crate::audit::image::sample::image;

    /// The line about sixteen bytes of which these are changed.
    fn summary(platform: &str, rom: Option<&str>, changed: Range<usize>, clean: bool) -> String {
        let image = image(&[("code", &|a| (0..16).for_each(|_| a.nop().unwrap()))]);
        let tables = Tables {
            rom: vec![patch(4..9)],
            xen: vec![site(10..13, &[0xcc; 3])],
        };
        let mut code = vec![0x90; 16];
        code[changed].fill(0xcc);
        line(&image, &tables, &booted(platform, rom, code), clean)
    }

    #[test]
    fn what_a_rom_changed_is_counted() {
        let expected = "of 1 sites changed, 0 of 0 detours opened, nothing else; 5 bytes tell of them";
        assert_eq!(
            summary("vmi", Some("native"), 0..0, true),
            format!("vmi native: 0 {expected}")
        );
        assert_eq!(
            summary("vmi", Some("soft-if"), 4..9, true),
            format!("vmi soft-if: 1 {expected}")
        );
    }

    #[test]
    fn what_xen_changed_is_counted() {
        assert_eq!(
            summary("xen", None, 10..13, true),
            "xen dom0: 1 of 1 sites changed (1 alternatives, 0 detours, 0 branches), nothing else; 8 bytes tell of them"
        );
        assert!(summary("xen", None, 0..16, false).contains("and not only as they should be"));
    }

    #[test]
    fn where_nobody_changes_anything_the_places_are_counted() {
        assert_eq!(
            summary("native", None, 0..0, true),
            "native pvh: nothing changed; a ROM may change 1 places, Xen 1"
        );
        assert!(summary("vmi", Some("none"), 0..1, false).starts_with("vmi no ROM: code was changed; "));
    }
}
