//! `new-rom`: the beginning of a ROM for somebody's hypervisor.
//!
//! What is copied is a ROM like the others, which CI builds and boots, so it cannot go stale. Inside this checkout the copy is one more
//! binary of `vmi-rom`. Whoever keeps the ROM with the hypervisor wants a crate instead, and gets one in a folder of its
//! own. Either is there whole or not at all, and nothing that exists is replaced.

mod binary;
mod name;
mod own_crate;
mod source;

use crate::cli::NewRom;
use crate::workshop::Workshop;
use anyhow::Result;
use name::Name;
use std::path::{Path, PathBuf};

/// A ROM that was made.
#[derive(Debug, PartialEq, Eq)]
pub struct Made {
    /// What there is to edit.
    pub source: PathBuf,
    /// What `--rom` is told.
    pub choice: PathBuf,
}

/// Makes the ROM and prints what to do with it.
///
/// # Errors
/// The name cannot be one, or is taken; the message says what to type instead. Or it cannot be written.
pub fn run(workshop: &Workshop, asked: &NewRom) -> Result<()> {
    let made = make(&workshop.paths.root, &asked.name, asked.into.as_deref())?;
    let (source, choice) = (workshop.paths.shown(&made.source), made.choice.display());
    println!(
        "{source} is a ROM that boots, on QEMU's emulator as yet.\n\
         What makes it one for your hypervisor is marked: grep -n YOURS {source}\n\
         The guide is docs/writing-a-rom.md. Next, type:\n    \
             cargo xtask rom {choice}\n    \
             cargo xtask run --release --features vmi --rom {choice} -- test=all"
    );
    Ok(())
}

/// Makes the ROM `name` out of the template in the workspace at `root`: in the folder `into`, or in the workspace.
///
/// # Errors
/// As for [`run`].
pub fn make(root: &Path, name: &str, into: Option<&Path>) -> Result<Made> {
    let name = Name::new(root, name)?;
    let source = source::of(root, &name)?;
    match into {
        Some(folder) => own_crate::make(root, &name, &source, folder),
        None => binary::make(root, &name, &source),
    }
}

#[cfg(test)]
mod tests;
