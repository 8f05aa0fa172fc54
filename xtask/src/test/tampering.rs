//! Changing a kernel behind its back that has changed itself: what it must say then.
//!
//! A takeover by a ROM ends with a look at what it has done: places that a ROM may change are read again, and one that is not as it
//! should be is a panic (`subarch-vmi/src/activate/takeover.rs`). So does the patching of an image of several platforms
//! (`subarch-paravirt/src/several/patch.rs`). A kernel without a bug never gets there, so somebody else must do the damage: a debugger
//! stops the machine where that look begins, changes one bit, and lets it go. The run passes only if the kernel names the place.

use super::case::Verdict;
use super::report;
use crate::audit::image::Image;
use crate::build::paravirt_sites::{SHORTEST, Table};
use crate::cli::{MachineArgs, On, RomChoice};
use crate::qemu::debugger::Debugger;
use crate::qemu::session::Outcome;
use crate::qemu::socket::Socket;
use crate::sites::table::{self, Kind, Patch};
use anyhow::{Context, Result};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use vmi64::Call;

/// The function that looks after a takeover.
const LOOK_AFTER_TAKEOVER: &str = "subarch_vmi::activate::takeover::verify";
/// The function that looks after patching.
const LOOK_AFTER_PATCHING: &str = "subarch_paravirt::several::patch::verify";

/// What is done to one kernel.
#[derive(Debug, Clone)]
pub struct Tampering {
    /// The name of the test.
    pub name: &'static str,
    /// Where the kernel changes itself.
    pub machine: MachineArgs,
    /// Where the look begins.
    look: u64,
    /// Where the bit is.
    byte: u64,
    /// What the kernel must say.
    said: String,
}

/// All that is done after a takeover to the kernel in the file `kernel`, which has its symbols.
///
/// # Errors
/// It is no vmi kernel, or does not have what is to be changed.
pub fn after_takeover(kernel: &Path) -> Result<Vec<Tampering>> {
    let image = Image::parse(&read(kernel)?)?;
    let look = start(&image, LOOK_AFTER_TAKEOVER)?;
    let patches = table::read(&image)?;
    Victim::ALL
        .into_iter()
        .map(|victim| victim.tampering(look, &patches))
        .collect()
}

/// What is done after patching to the kernel in the file `kernel`, which has its symbols; nothing if it has no table of sites.
///
/// # Errors
/// It has no function that looks.
pub fn after_patching(kernel: &Path) -> Result<Option<Tampering>> {
    let bytes = read(kernel)?;
    let table = Table::of(&bytes)?;
    let Some(site) = table.and_then(|table| Some(table.records.first()?.site)) else {
        return Ok(None);
    };
    Ok(Some(Tampering {
        name: "refuses a changed site",
        machine: MachineArgs {
            on: Some(On::Xen),
            ..Default::default()
        },
        look: start(&Image::parse(&bytes)?, LOOK_AFTER_PATCHING)?,
        byte: site + SHORTEST - 1,
        said: format!("the site at {site:#x} is not what was written there"),
    }))
}

fn read(kernel: &Path) -> Result<Vec<u8>> {
    fs::read(kernel).with_context(|| format!("cannot read {}", kernel.display()))
}

/// Where the function called `name` begins.
fn start(image: &Image, name: &str) -> Result<u64> {
    let function = image.functions.iter().find(|function| function.name == name);
    let function = function.with_context(|| format!("the image has no function {name}"))?;
    Ok(function.range.start)
}

impl Tampering {
    /// Waits for a machine, to do it there.
    ///
    /// # Errors
    /// There can be no socket for it.
    pub fn wait(&self) -> Result<Socket<Result<()>>> {
        let (look, byte) = (self.look, self.byte);
        Socket::listen(move |machine| carry_out(Debugger::new(machine), look, byte))
    }

    /// Whether the run reported it; without a backtrace, since the core has not begun yet.
    pub fn judge(&self, outcome: &Outcome) -> Verdict {
        report::judge(outcome, &[&self.said])
    }
}

/// Changes a bit at `byte` when the machine comes to `look`.
fn carry_out(mut machine: Debugger<impl Read + Write>, look: u64, byte: u64) -> Result<()> {
    machine.run_to(look)?;
    let found = machine.read(byte)?;
    machine.write(byte, found ^ 1)?;
    machine.let_go()
}

/// A kind of place to change after a takeover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// A site that the ROM has filled.
    Site,
    /// A detour that was opened.
    Detour,
    /// A site that the ROM has left as it was.
    UntouchedSite,
}

impl Victim {
    const ALL: [Self; 3] = [Self::Site, Self::Detour, Self::UntouchedSite];

    fn name(self) -> &'static str {
        match self {
            Self::Site => "refuses a changed site",
            Self::Detour => "refuses a changed detour",
            Self::UntouchedSite => "refuses a change to an untouched site",
        }
    }

    /// The ROM that makes such a place.
    fn rom(self) -> &'static str {
        match self {
            Self::Site | Self::Detour => "call",
            Self::UntouchedSite => "native",
        }
    }

    /// The call that the place is of: one that no kernel makes on its way to the report, which must not come of executing the place.
    fn call(self) -> Call {
        match self {
            Self::Site | Self::UntouchedSite => Call::SetInitialAPState,
            Self::Detour => Call::ReleasePage,
        }
    }

    /// Whether `patch` is such a place.
    fn is(self, patch: &Patch) -> bool {
        let kind_is_right = match self {
            Self::Site | Self::UntouchedSite => patch.kind == Kind::Site,
            Self::Detour => matches!(patch.kind, Kind::Detour { .. }),
        };
        kind_is_right && patch.call == self.call()
    }

    /// What the kernel must say if the place at `address` was changed.
    fn said(self, address: u64) -> String {
        let call = self.call().name();
        match self {
            Self::Site | Self::Detour => format!("the code at {address:#x} is not what was written for {call}"),
            Self::UntouchedSite => format!(
                "the takeover changed what it should not have, at {address:#x}: a site of {call} does not hold its native bytes"
            ),
        }
    }

    /// What is done to the first such place among `patches`, when the look begins at the address `look`.
    fn tampering(self, look: u64, patches: &[Patch]) -> Result<Tampering> {
        let patch = patches.iter().find(|patch| self.is(patch));
        let range = &patch
            .with_context(|| format!("the image has no place for the test \"{}\"", self.name()))?
            .range;
        Ok(Tampering {
            name: self.name(),
            machine: MachineArgs {
                rom: Some(RomChoice::Built(self.rom().into())),
                ..Default::default()
            },
            look,
            byte: range.end - 1,
            said: self.said(range.start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(kind: Kind, call: Call, start: u64) -> Patch {
        Patch {
            kind,
            call,
            range: start..start + 5,
            record: 5,
        }
    }

    #[test]
    fn the_first_place_of_its_kind_is_changed_at_its_end() {
        let detour = Kind::Detour { target: 0 };
        let patches = [
            patch(Kind::Site, Call::ReleasePage, 0x10),
            patch(detour, Call::ReleasePage, 0x20),
            patch(detour, Call::ReleasePage, 0x30),
        ];
        let tampering = Victim::Detour.tampering(1, &patches).unwrap();
        assert_eq!((tampering.look, tampering.byte), (1, 0x24));
        assert_eq!(
            tampering.said,
            "the code at 0x20 is not what was written for ReleasePage"
        );
        let error = Victim::Site.tampering(1, &patches).unwrap_err();
        assert!(error.to_string().contains("refuses a changed site"));
    }

    #[test]
    fn an_untouched_site_is_named_like_the_others() {
        let said = Victim::UntouchedSite.said(0x20);
        assert!(said.contains("at 0x20: a site of SetInitialAPState"), "{said}");
    }
}
