//! `sites`: every place of a vmi kernel that a ROM may change, and what each ROM made of it.
//!
//! A kernel that rewrites itself should be able to show how. The places and their bytes as compiled are in the image; what they became
//! is read from the memory of machines that booted it with each ROM. So the list shows what is executed, not what should be. And the
//! rest of the code is compared as well: a takeover that changed a byte anywhere else is an error.

mod listing;
mod memory;
pub mod table;

use crate::audit::image::Image;
use crate::build;
use crate::cli::{self, MachineArgs, RomChoice, Sites};
use crate::configuration::Configuration;
use crate::platform::Platform;
use crate::rom;
use crate::setup::Setup;
use crate::workshop::Workshop;
use anyhow::Result;
use memory::Memory;
use table::Patch;

/// The exit status when code was changed that is no site, or a record is larger than it may be.
const WRONG: u8 = 1;

/// How many bytes the kernel may spend to tell of one place.
const RECORD_LIMIT: usize = 16;

/// The code of one booted kernel.
#[derive(Debug)]
struct Booted {
    /// The ROM it found.
    rom: String,
    /// Its memory when it had ended.
    memory: Memory,
}

/// Boots the kernel with each ROM asked for and lists all sites; returns the exit status.
///
/// # Errors
/// Something cannot be built or booted, or the image's tables are broken.
pub fn run(workshop: &Workshop, asked: &Sites) -> Result<u8> {
    let built = build::kernel(workshop, &Configuration::Single(Platform::Vmi), true)?;
    let image = Image::open(&built.full, &workshop.paths.root)?;
    let patches = table::read(&image)?;
    let mut booted = Vec::new();
    for rom in roms(asked) {
        eprintln!("sites: booting with the ROM {rom}");
        let choice = rom.parse::<RomChoice>().map_err(|why| anyhow::anyhow!(why))?;
        let machine = MachineArgs {
            rom: Some(choice),
            ..MachineArgs::default()
        };
        let vmi = cli::Image {
            features: vec![Platform::Vmi.name().to_owned()],
            release: true,
        };
        let memory = memory::boot(workshop, &built, &image, &Setup::new(&vmi, &machine)?)?;
        booted.push(Booted { rom, memory });
    }
    if !asked.summary {
        listing::print(&image, &patches, &booted);
    }
    let mut complaints = oversized(&patches);
    for each in &booted {
        println!("{}", listing::summary(&image, &patches, each));
        complaints.extend(elsewhere(&image, &patches, each));
    }
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    Ok(if complaints.is_empty() { 0 } else { WRONG })
}

/// The ROMs asked for, all good ones if none.
fn roms(asked: &Sites) -> Vec<String> {
    match asked.roms.as_slice() {
        [] => rom::NAMES.map(str::to_owned).to_vec(),
        some => some.to_vec(),
    }
}

/// A complaint for each kind of place whose records are larger than they may be.
fn oversized(patches: &[Patch]) -> Vec<String> {
    let mut complaints: Vec<_> = patches
        .iter()
        .filter(|patch| patch.record > RECORD_LIMIT)
        .map(|patch| {
            format!(
                "the record of a {} has {} bytes, and may have {RECORD_LIMIT}",
                patch.kind, patch.record
            )
        })
        .collect();
    complaints.dedup();
    complaints
}

/// Complaints about code that is no site and not as compiled.
fn elsewhere(image: &Image, patches: &[Patch], booted: &Booted) -> Vec<String> {
    let mut complaints = Vec::new();
    for section in image.code() {
        let mut start = section.range.start;
        let inside = patches.iter().map(|patch| patch.range.clone());
        for patch in inside.chain(std::iter::once(section.range.end..section.range.end)) {
            let between = start..patch.start;
            if image.bytes(between.clone()) != booted.memory.bytes(between.clone()) {
                complaints.push(format!(
                    "ROM {}: code at {:#x} to {:#x} is no site, and not as compiled",
                    booted.rom, between.start, between.end
                ));
            }
            start = patch.end;
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::table::Kind;
    use super::*;
    use crate::audit::image::sample::image;
    use vmi64::Call;

    fn patch(record: usize) -> Patch {
        Patch {
            kind: Kind::Site,
            call: Call::SetCR3,
            range: 4..9,
            record,
        }
    }

    #[test]
    fn large_records_are_named_once() {
        assert!(oversized(&[patch(5), patch(16)]).is_empty());
        assert_eq!(
            oversized(&[patch(17), patch(17)]),
            ["the record of a site has 17 bytes, and may have 16"]
        );
    }

    #[test]
    fn a_change_is_fine_at_a_site_and_nowhere_else() {
        let image = image(&[("code", &|a| (0..16).for_each(|_| a.nop().unwrap()))]);
        let complaints = |changed: usize| {
            let mut code = vec![0x90; 16];
            code[changed] = 0xcc;
            let booted = Booted {
                rom: "bad".to_owned(),
                memory: Memory::of(0, code),
            };
            elsewhere(&image, &[patch(5)], &booted)
        };
        assert!((4..9).all(|changed| complaints(changed).is_empty()));
        assert_eq!(
            complaints(9),
            ["ROM bad: code at 0x9 to 0x10 is no site, and not as compiled"]
        );
        assert_eq!(complaints(3).len(), 1);
    }
}
