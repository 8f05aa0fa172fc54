//! Places and booted kernels for the tests.

use super::memory::Memory;
use super::table::{self, Patch};
use super::{Booted, paravirt};
use crate::cli::{Image, MachineArgs};
use crate::setup::Setup;
use std::ops::Range;
use vmi64::Call;

/// A site of a ROM.
pub fn patch(range: Range<u64>) -> Patch {
    Patch {
        kind: table::Kind::Site,
        call: Call::DisableInterrupts,
        range,
        record: 5,
    }
}

/// An alternative that becomes these bytes under Xen.
pub fn site(range: Range<u64>, becomes: &[u8]) -> paravirt::Site {
    paravirt::Site {
        range,
        kind: paravirt::Kind::Alternative,
        becomes: becomes.to_vec(),
        record: 8,
    }
}

/// A kernel for `platform`, booted with `rom`, whose code at address 0 is `code` then.
pub fn booted(platform: &str, rom: Option<&str>, code: Vec<u8>) -> Booted {
    let image = Image {
        features: vec![platform.to_owned()],
        release: true,
    };
    let machine = MachineArgs {
        rom: rom.map(|rom| rom.parse().unwrap()),
        ..MachineArgs::default()
    };
    Booted::new(Setup::new(&image, &machine).unwrap(), Memory::of(0, code))
}
