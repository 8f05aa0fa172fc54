//! The option ROMs of `vmi-rom`: linked, sealed, checked.
//!
//! A ROM runs wherever it is put, so it is compiled position-independent, unlike the kernel beside it in the workspace.
//! Its linker script makes a flat image; what a linker cannot do is add up bytes. Length and checksum come from the
//! `vmi64` crate, which the kernel uses for the checks in the other direction.

use crate::build::{compile, write};
use crate::failure::Failure;
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use vmi64::seal::{SealError, seal, sealed_length};

/// The ROMs a kernel can be given by name.
pub const NAMES: [&str; 3] = ["native", "call", "soft-if"];
/// The ROM under which the kernel's console is Xen's.
pub const ON_XENS_CONSOLE: &str = "xen";
/// The ROMs that a kernel must refuse, each for the reason in its name.
pub const BROKEN: [&str; 5] = ["bad-checksum", "wrong-major", "truncated", "stray", "refuse"];
/// How ROMs are compiled; given in `RUSTFLAGS`, it takes the place of the flags for the kernel.
const FLAGS: &str = "-Crelocation-model=pic";

/// Builds the ROM that the binary `name` of `vmi-rom` makes; returns the finished file.
///
/// # Errors
/// [`Failure::Build`]: it does not compile, or what was linked is no ROM.
pub fn build(workshop: &Workshop, name: &str) -> Result<PathBuf> {
    let toolchain = workshop.toolchain()?;
    let mut cargo = toolchain.bare_cargo("build");
    cargo
        .args(["--quiet", "--package", "vmi-rom", "--bin", name, "--release"])
        .env("RUSTFLAGS", FLAGS);
    compile(&mut cargo, &format!("the ROM {name}"))?;
    let linked = toolchain.bare_output().join("release").join(name);
    let flat = fs::read(&linked).with_context(|| format!("cannot read {}", linked.display()))?;
    let rom = sealed(flat).map_err(|why| Failure::Build.error(format!("the ROM {name}: {why}")))?;
    let folder = workshop.paths.images()?.join("rom");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.rom"));
    write(&file, &rom)?;
    Ok(file)
}

/// The finished ROM: `flat` with padding, length and checksum.
fn sealed(mut flat: Vec<u8>) -> Result<Vec<u8>, SealError> {
    flat.resize(sealed_length(flat.len()), 0);
    seal(&mut flat)?;
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_add_up_to_zero() {
        let rom = sealed(vec![0x5a; 1000]).unwrap();
        assert_eq!(rom.len(), 1024);
        assert_eq!(rom.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)), 0);
    }

    #[test]
    fn no_rom_is_longer_than_firmware_deploys() {
        assert!(matches!(sealed(vec![0; 130_561]), Err(SealError::TooLong(_))));
    }
}
