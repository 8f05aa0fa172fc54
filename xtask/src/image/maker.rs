//! The image maker: built once for each compiler, then kept in the cache folder.
//!
//! The `bootloader` crate compiles its stages from source for targets that have no standard library, with `-Zbuild-std`,
//! so it needs the library's sources, two programs of LLVM, and permission to use unstable options
//! (`RUSTC_BOOTSTRAP=1`; the stages are the crate's, the kernel itself stays stable Rust). rustup has sources and programs
//! as components; where it cannot provide them, Debian's Rust and LLVM do, arranged so that the crate finds them.

use crate::failure::Failure;
use crate::fetch::deb;
use crate::workshop::Workshop;
use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use ways::Way;

mod ways;

pub use ways::components_are_here;

/// The project and the program, as they are written into the cache folder.
const MANIFEST: &str = include_str!("maker/Cargo.toml.in");
const PROGRAM: &str = include_str!("maker/main.rs.in");
/// The program's name in the cache entry.
const NAME: &str = "image-maker";

/// The image maker, built if this compiler has not built it before.
///
/// # Errors
/// [`Failure::Build`]: it cannot be built; [`Failure::Missing`]: nothing to build it with.
pub fn obtain(workshop: &Workshop) -> Result<PathBuf> {
    if let Some(maker) = cached(workshop) {
        return Ok(maker);
    }
    let way = Way::choose(&workshop.provider)?;
    let entry = deb::entry(&workshop.paths.cache, &entry_name(&way)?, |folder| build(&way, folder))?;
    Ok(entry.join(NAME))
}

/// The image maker that a compiler of this machine has built before.
pub fn cached(workshop: &Workshop) -> Option<PathBuf> {
    let names = Way::here(&workshop.provider)
        .into_iter()
        .filter_map(|way| entry_name(&way).ok());
    names
        .map(|name| workshop.paths.cache.join(name).join(NAME))
        .find(|maker| maker.is_file())
}

/// The name of the cache entry: it changes with the compiler and with the program.
fn entry_name(way: &Way) -> Result<String> {
    Ok(format!(
        "{NAME}-{}-{:08x}",
        way.version()?,
        checksum(&[MANIFEST, PROGRAM])
    ))
}

/// A small checksum (FNV-1a), stable over time, unlike the standard library's hashers.
fn checksum(texts: &[&str]) -> u32 {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Builds the program in `folder` and leaves nothing but the program there.
fn build(way: &Way, folder: &Path) -> Result<()> {
    eprintln!("building the maker of disk images; this takes a few minutes and is done once");
    let project = folder.join("project");
    fs::create_dir_all(project.join("src"))?;
    fs::write(project.join("Cargo.toml"), MANIFEST)?;
    fs::write(project.join("src/main.rs"), PROGRAM)?;
    let mut cargo = way.cargo(&project)?;
    cargo
        .args(["build", "--release", "--target-dir"])
        .arg(project.join("target"))
        .current_dir(&project);
    watch(&mut cargo)?;
    fs::copy(project.join("target/release").join(NAME), folder.join(NAME)).context("cargo left no image maker")?;
    fs::remove_dir_all(&project).context("cannot clear the image maker's project")
}

/// Runs cargo behind a spinner that shows its latest line; a failure shows the last lines.
fn watch(cargo: &mut Command) -> Result<()> {
    let mut child = cargo
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let spinner = ProgressBar::new_spinner().with_style(style());
    spinner.enable_steady_tick(Duration::from_millis(200));
    let mut said = Vec::new();
    let errors = child.stderr.take().context("cargo's messages are not ours")?;
    for line in BufReader::new(errors).lines().map_while(Result::ok) {
        spinner.set_message(line.trim().to_owned());
        said.push(line);
    }
    let status = child.wait()?;
    spinner.finish_and_clear();
    let last = said[said.len().saturating_sub(30)..].join("\n");
    ensure!(
        status.success(),
        Failure::Build.error(format!("the image maker could not be built:\n{last}"))
    );
    Ok(())
}

/// The look of the spinner: how long it has been, and what cargo is at.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_program_is_another_entry() {
        assert_eq!(checksum(&["a", "b"]), checksum(&["ab"]));
        assert_ne!(checksum(&["a"]), checksum(&["b"]));
        assert_eq!(checksum(&[]), 0x811c_9dc5);
    }
}
