//! The programs of `user`: built for no operating system in particular, and laid out for Linux.
//!
//! They are compiled like the kernel, for the bare machine, but linked where programs lie, by a linker script of their own. The kernel
//! trusts nothing in an executable file and maps what it says; so a wrong layout would be a wrong test, and is refused here.

use crate::build::{compile, strip, write};
use crate::failure::Failure;
use crate::workshop::Workshop;
use anyhow::{Context, Result, ensure};
use object::Endianness;
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The size of a page, in which rights are given.
const PAGE: u64 = 4096;
/// How programs are compiled; given in `RUSTFLAGS`, it takes the place of the flags for the kernel.
const FLAGS: &str = "-Crelocation-model=static";

/// Builds the executable that has all programs in it; returns the finished file.
///
/// # Errors
/// [`Failure::Build`]: it does not compile, or what was linked is not laid out as a program.
pub fn build(workshop: &Workshop) -> Result<PathBuf> {
    let toolchain = workshop.toolchain()?;
    let mut cargo = toolchain.bare_cargo("build");
    cargo.args([
        "--quiet",
        "--package",
        "user-programs",
        "--bin",
        "programs",
        "--features",
        "executable",
    ]);
    compile(cargo.arg("--release").env("RUSTFLAGS", FLAGS), "the user programs")?;
    let linked = toolchain.bare_output().join("release/programs");
    let executable = fs::read(&linked).with_context(|| format!("cannot read {}", linked.display()))?;
    let wrong = complaints(&executable)?;
    ensure!(
        wrong.is_empty(),
        Failure::Build.error(format!("the user programs are no program:\n  {}", wrong.join("\n  ")))
    );
    let folder = workshop.paths.images()?.join("user");
    fs::create_dir_all(&folder)?;
    let file = folder.join("programs.elf");
    write(&file, &strip::stripped(&executable)?)?;
    fs::set_permissions(&file, Permissions::from_mode(0o755))?;
    Ok(file)
}

/// What is wrong with `image` as a plain static program.
fn complaints(image: &[u8]) -> Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(image)?;
    let endian = header.endian()?;
    let mut complaints = Vec::new();
    if header.e_type(endian) != elf::ET_EXEC {
        complaints.push("it is not linked for a fixed address".to_owned());
    }
    let segments = header.program_headers(endian, image)?;
    for segment in segments {
        complaints.extend(complaint(segment, endian).map(|why| {
            let start = segment.p_vaddr(endian);
            format!("the segment at {start:#x} {why}")
        }));
    }
    if !segments
        .iter()
        .any(|segment| segment.p_type(endian) == elf::PT_GNU_STACK)
    {
        complaints.push("it does not say that its stack is not executable".to_owned());
    }
    Ok(complaints)
}

/// What is wrong with one segment.
fn complaint(segment: &ProgramHeader64<Endianness>, endian: Endianness) -> Option<&'static str> {
    let kind = segment.p_type(endian);
    let flags = segment.p_flags(endian);
    let executable = flags.contains(elf::PF_X);
    if kind == elf::PT_INTERP || kind == elf::PT_DYNAMIC {
        Some("asks for a dynamic linker")
    } else if kind == elf::PT_GNU_STACK && executable {
        Some("asks for an executable stack")
    } else if kind == elf::PT_LOAD && executable && flags.contains(elf::PF_W) {
        Some("is writable and executable")
    } else if kind == elf::PT_LOAD && !segment.p_vaddr(endian).is_multiple_of(PAGE) {
        Some("does not begin on a page of its own")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_host_is_no_plain_one() {
        let image = fs::read(std::env::current_exe().unwrap()).unwrap();
        let wrong = complaints(&image).unwrap().join("; ");
        assert!(wrong.contains("asks for a dynamic linker"), "{wrong}");
        assert!(wrong.contains("not linked for a fixed address"), "{wrong}");
    }

    #[test]
    fn what_is_no_elf_file_is_refused() {
        assert!(complaints(b"#!/bin/sh").is_err());
    }
}
