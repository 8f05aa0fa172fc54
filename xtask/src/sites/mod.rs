//! `sites`: every place of a kernel that is changed at boot, and what became of each.
//!
//! A kernel that rewrites itself should be able to show how. The places and their bytes as compiled are in the image; what they became
//! is read from the memory of machines that booted it: with each ROM, under Xen, or where nothing should have changed at all. So the list
//! shows what is executed, not what should be. And the rest of the code is compared as well: whoever changed a byte anywhere else has
//! made an error.

mod complaints;
mod listing;
pub mod memory;
mod paravirt;
#[cfg(test)]
mod samples;
mod summary;
pub mod table;

use crate::audit::image::Image;
use crate::build;
use crate::build::Built;
use crate::build::paravirt_sites::Table;
use crate::cli::{self, MachineArgs, On, RomChoice, Sites};
use crate::configuration::Configuration;
use crate::platform::Platform;
use crate::rom;
use crate::setup::{self, Around, Guest, Setup};
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use memory::Memory;
use std::fs;
use std::ops::Range;
use table::Patch;

/// The exit status when code was changed that should not have been, or a record is larger than it may be.
const WRONG: u8 = 1;

/// The places of an image that somebody may change, each list by ascending address. A place may be in both.
#[derive(Debug)]
struct Tables {
    /// A ROM.
    rom: Vec<Patch>,
    /// The entry of Xen, in an image of several platforms.
    xen: Vec<paravirt::Site>,
}

/// Who may have changed the code of a booted kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changer {
    /// On a bare machine the kernel is complete as it is.
    Nobody,
    /// The takeover by a ROM.
    Rom,
    /// The entry of Xen.
    Xen,
}

/// The code of one booted kernel.
#[derive(Debug)]
struct Booted {
    /// Where it was booted.
    setup: Setup,
    /// Who may have changed it there.
    changer: Changer,
    /// What its code was when it ended.
    memory: Memory,
}

/// Boots the kernel wherever it is asked for and lists all sites; returns the exit status.
///
/// # Errors
/// Something cannot be built or booted, or the image's tables are broken.
pub fn run(workshop: &Workshop, asked: &Sites) -> Result<u8> {
    let configuration = Configuration::only(&asked.features)?;
    let setups = setups(&configuration, asked)?;
    let built = build::kernel(workshop, &configuration, true)?;
    let image = Image::open(&built.full, &workshop.paths.root)?;
    let tables = Tables::read(&image, &built)?;
    let mut booted = Vec::new();
    for setup in setups {
        eprintln!("sites: booting {setup}");
        let memory = memory::boot(workshop, &built, &image, &setup)?;
        booted.push(Booted::new(setup, memory));
    }
    if !asked.summary {
        listing::print(&image, &tables, &booted);
    }
    let mut complaints = complaints::oversized(&tables);
    for each in &booted {
        let of_this = complaints::of(&image, &tables, each);
        println!("{}", summary::line(&image, &tables, each, of_this.is_empty()));
        complaints.extend(of_this);
    }
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    Ok(if complaints.is_empty() { 0 } else { WRONG })
}

/// Boots the kernel `built`, which is `image`, on `platform`, and if that is vmi with each good ROM; returns its code as it is on each.
///
/// # Errors
/// It cannot be booted, or its memory not be read.
pub fn boot(
    workshop: &Workshop,
    configuration: &Configuration,
    built: &Built,
    image: &Image,
    platform: Platform,
) -> Result<Vec<(Setup, Memory)>> {
    let asked = Sites {
        features: vec![configuration.features()],
        platform: Some(platform),
        roms: Vec::new(),
        summary: true,
    };
    let boot = |setup| {
        let memory = memory::boot(workshop, built, image, &setup)?;
        Ok((setup, memory))
    };
    setups(configuration, &asked)?.into_iter().map(boot).collect()
}

/// What is left under Xen of instructions of `image`, which is `built`, that jumps have taken the places of.
///
/// # Errors
/// Its table cannot be followed.
pub fn remains(image: &Image, built: &Built) -> Result<Vec<Range<u64>>> {
    let sites = Tables::read(image, built)?.xen;
    let jumps = sites
        .iter()
        .filter(|site| matches!(site.kind, paravirt::Kind::Detour { .. }));
    Ok(jumps.map(|site| site.remains(image)).collect())
}

/// Where to boot: on the platform asked for, and if that is vmi, with each ROM asked for, or each good one.
fn setups(configuration: &Configuration, asked: &Sites) -> Result<Vec<Setup>> {
    let platform = asked.platform.unwrap_or_else(|| configuration.usual_platform());
    setup::ensure_for(configuration, platform)?;
    let roms = match asked.roms.as_slice() {
        [] if platform == Platform::Vmi => rom::NAMES.map(|name| Some(RomChoice::Built(name.to_owned()))).to_vec(),
        [] => vec![None],
        some => some.iter().cloned().map(Some).collect(),
    };
    let image = cli::Image {
        features: asked.features.clone(),
        release: true,
    };
    let machines = roms.into_iter().map(|rom| MachineArgs {
        on: asked.platform.map(On::from),
        rom,
        ..MachineArgs::default()
    });
    machines.map(|machine| Setup::new(&image, &machine)).collect()
}

impl Tables {
    /// The tables of `image`, which is `built`.
    fn read(image: &Image, built: &Built) -> Result<Self> {
        let file = fs::read(&built.full).with_context(|| format!("cannot read {}", built.full.display()))?;
        let records = Table::of(&file)?.map(|table| table.records).unwrap_or_default();
        Ok(Self {
            rom: table::read(image)?,
            xen: paravirt::read(image, &records)?,
        })
    }

    /// The places that `changer` may change.
    fn open(&self, changer: Changer) -> Vec<Range<u64>> {
        match changer {
            Changer::Nobody => Vec::new(),
            Changer::Rom => self.rom.iter().map(|patch| patch.range.clone()).collect(),
            Changer::Xen => self.xen.iter().map(|site| site.range.clone()).collect(),
        }
    }

    /// The sites that must have become what their records say.
    fn under_xen(&self, changer: Changer) -> &[paravirt::Site] {
        match changer {
            Changer::Nobody | Changer::Rom => &[],
            Changer::Xen => &self.xen,
        }
    }
}

impl Booted {
    fn new(setup: Setup, memory: Memory) -> Self {
        let changer = match &setup.around {
            Around::Xen { guest: Guest::Pv, .. } => Changer::Xen,
            Around::Machine { rom, .. }
            | Around::Xen {
                guest: Guest::Pvh { rom },
                ..
            } => match rom {
                RomChoice::None => Changer::Nobody,
                RomChoice::Built(_) | RomChoice::File(_) | RomChoice::Crate(_) => Changer::Rom,
            },
        };
        Self { setup, changer, memory }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    /// Where an image is booted.
    fn booted_on(features: &str, platform: Option<Platform>, roms: &[&str]) -> Result<Vec<String>> {
        let asked = Sites {
            features: vec![features.to_owned()],
            platform,
            roms: roms.iter().map(|rom| rom.parse().unwrap()).collect(),
            summary: false,
        };
        let setups = setups(&Configuration::only(&asked.features)?, &asked)?;
        Ok(setups.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn vmi_is_booted_with_each_good_rom() {
        let all = ["vmi native", "vmi call", "vmi soft-if"];
        assert_eq!(booted_on("vmi", None, &[]).unwrap(), all);
        assert_eq!(
            booted_on("vmi", None, &["none", "call"]).unwrap(),
            ["vmi no ROM", "vmi call"]
        );
    }

    #[test]
    fn an_image_of_several_is_booted_on_one() {
        let on = |platform| booted_on("paravirt", platform, &[]).unwrap();
        assert_eq!(on(None), ["paravirt native pvh"]);
        assert_eq!(on(Some(Platform::Xen)), ["paravirt xen dom0"]);
        assert_eq!(on(Some(Platform::Vmi)).len(), 3);
        assert_eq!(
            booted_on("paravirt,xen,vmi", None, &["none"]).unwrap(),
            ["paravirt-xen-vmi vmi no ROM"]
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (features, platform, roms) in [
            ("paravirt", None, ["call"].as_slice()),
            ("paravirt,native,vmi", Some(Platform::Xen), &[]),
        ] {
            let error = booted_on(features, platform, roms).unwrap_err();
            assert_eq!(Failure::of(&error), Failure::Usage, "{error}");
        }
    }
}
