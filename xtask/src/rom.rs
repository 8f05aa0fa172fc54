//! Option ROMs: linked, sealed, checked.
//!
//! A ROM runs wherever it is put, so it is compiled position-independent, unlike the kernel beside it in the workspace.
//! Its linker script makes a flat image; what a linker cannot do is add up bytes. Length and checksum come from the
//! `vmi64` crate, which the kernel uses for the checks in the other direction.
//!
//! A ROM is one of the binaries of `vmi-rom`, whoever wrote it, or a crate somewhere else; `new-rom` makes either.

use crate::build::{compile, write};
use crate::cli::RomChoice;
use crate::failure::Failure;
use crate::paths::Paths;
use crate::workshop::Workshop;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use vmi64::Header;
use vmi64::seal::{SealError, seal, sealed_length};

/// The ROMs that are for a bare machine: all of a kernel's tests run with them, and all of its sites are looked at.
pub const NAMES: [&str; 3] = ["native", "call", "soft-if"];
/// The ROM for Xen's domains: it declines on a bare machine, and beneath Xen the kernel's console is Xen's.
pub const XEN: &str = "xen";
/// The ROMs that a kernel must refuse, each for the reason in its name.
pub const BROKEN: [&str; 5] = ["bad-checksum", "wrong-major", "truncated", "stray", "refuse"];
/// The ROM that new ones are copies of.
pub const TEMPLATE: &str = "template";
/// The sources of the ROMs of `vmi-rom`, below the root of the workspace.
pub const SOURCES: &str = "vmi-rom/src/bin";
/// The file that tells what a crate is.
pub const MANIFEST: &str = "Cargo.toml";
/// How ROMs are compiled; given in `RUSTFLAGS`, it takes the place of the flags for the kernel.
const FLAGS: &str = "-Crelocation-model=pic";

/// The names of all ROMs of `vmi-rom` in the workspace at `root`, by the alphabet: one for each source file.
pub fn names(root: &Path) -> Vec<String> {
    let files = fs::read_dir(root.join(SOURCES)).into_iter().flatten().flatten();
    let sources = files.map(|file| file.path());
    let sources = sources.filter(|path| path.extension() == Some(OsStr::new("rs")));
    let mut names: Vec<_> = sources
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort_unstable();
    names
}

/// `rom`: builds the ROM that is asked for, and says what a kernel would read in its header.
///
/// # Errors
/// It cannot be built, or no kernel would take it.
pub fn run(workshop: &Workshop, choice: &RomChoice) -> Result<()> {
    let Some(file) = file(workshop, choice)? else {
        bail!(Failure::Usage.error("`none` is no ROM; name one, its folder or its file"));
    };
    let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let shown = workshop.paths.shown(&file);
    let header = Header::parse(&bytes).map_err(|why| Failure::Build.error(format!("{shown}: {why}")))?;
    println!("{shown}: {}", described(&header));
    Ok(())
}

/// The file of the ROM, built if need be; nothing if there shall be no ROM.
///
/// # Errors
/// It cannot be built.
pub fn file(workshop: &Workshop, choice: &RomChoice) -> Result<Option<PathBuf>> {
    match choice {
        RomChoice::None => Ok(None),
        RomChoice::Built(name) => build(workshop, name).map(Some),
        RomChoice::Crate(folder) => build_crate(workshop, folder).map(Some),
        RomChoice::File(path) => Ok(Some(path.clone())),
    }
}

/// Builds the ROM that the binary `name` of `vmi-rom` makes; returns the finished file.
///
/// # Errors
/// [`Failure::Build`]: it does not compile, or what was linked is no ROM.
pub fn build(workshop: &Workshop, name: &str) -> Result<PathBuf> {
    let mut cargo = workshop.toolchain()?.bare_cargo("build");
    cargo.args(["--package", "vmi-rom"]);
    finished(workshop, cargo, name)
}

/// Builds the ROM that the crate in `folder` makes: its binary that is called like the crate.
///
/// # Errors
/// [`Failure::Usage`]: there is no such crate. [`Failure::Build`]: as for [`build`].
pub fn build_crate(workshop: &Workshop, folder: &Path) -> Result<PathBuf> {
    let name = crate_name(folder)?;
    // Cargo is started at the root of the workspace, whatever folder the path is relative to.
    let manifest = fs::canonicalize(folder)?.join(MANIFEST);
    let mut cargo = workshop.toolchain()?.bare_cargo("build");
    cargo.arg("--manifest-path").arg(manifest);
    finished(workshop, cargo, &name)
}

/// How the crate in `folder` is called.
pub fn crate_name(folder: &Path) -> Result<String> {
    let file = folder.join(MANIFEST);
    let refuse = |why: &str| Failure::Usage.error(format!("{}: {why}", file.display()));
    let text = fs::read_to_string(&file).map_err(|why| refuse(&why.to_string()))?;
    let manifest: toml::Table = text.parse().map_err(|why: toml::de::Error| refuse(&why.to_string()))?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name")?.as_str());
    Ok(name.ok_or_else(|| refuse("it names no package"))?.to_owned())
}

/// Lets cargo build the binary `name`, and makes a ROM of it.
fn finished(workshop: &Workshop, mut cargo: Command, name: &str) -> Result<PathBuf> {
    cargo
        .args(["--quiet", "--bin", name, "--release"])
        .env("RUSTFLAGS", FLAGS);
    compile(&mut cargo, &format!("the ROM {name}"))?;
    let linked = workshop.toolchain()?.bare_output().join("release").join(name);
    let flat = fs::read(&linked).with_context(|| format!("cannot read {}", linked.display()))?;
    let rom = sealed(flat).map_err(|why| Failure::Build.error(format!("the ROM {name}: {why}")))?;
    let folder = workshop.paths.images()?.join("rom");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.rom"));
    write(&file, &rom)?;
    Ok(file)
}

/// Whether `text` on the command line is the name of a ROM of `vmi-rom`, in the workspace that this program is of.
pub fn is_name(text: &str) -> bool {
    Paths::find().is_ok_and(|paths| names(&paths.root).iter().any(|name| name == text))
}

/// A ROM in a line.
fn described(header: &Header) -> String {
    format!(
        "ROM '{}' {}.{}, {} bytes, {} for its data",
        header.name(),
        vmi64::MAJOR,
        header.minor,
        header.rom_length,
        match header.data_pages {
            0 => "nothing".to_owned(),
            1 => "1 page".to_owned(),
            pages => format!("{pages} pages"),
        }
    )
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
    fn every_rom_is_found_by_its_source() {
        let names = names(&Paths::find().unwrap().root);
        for name in NAMES.iter().chain(&BROKEN).chain([&TEMPLATE]) {
            assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
        }
        assert!(is_name("soft-if") && !is_name("none"));
    }

    #[test]
    fn a_crate_is_called_what_its_manifest_says() {
        let workspace = Paths::find().unwrap().root;
        assert_eq!(crate_name(&workspace.join("vmi-rom")).unwrap(), "vmi-rom");
        for nothing in [workspace.clone(), workspace.join("docs")] {
            assert_eq!(Failure::of(&crate_name(&nothing).unwrap_err()), Failure::Usage);
        }
    }

    #[test]
    fn no_rom_is_longer_than_firmware_deploys() {
        assert!(matches!(sealed(vec![0; 130_561]), Err(SealError::TooLong(_))));
    }
}
