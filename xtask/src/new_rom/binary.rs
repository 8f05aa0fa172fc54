//! A ROM as one more binary of `vmi-rom`: a source file, and an entry in the manifest.

use super::Made;
use super::name::Name;
use crate::build::write;
use crate::rom;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// The package, below the root of the workspace.
const PACKAGE: &str = "vmi-rom";
/// What follows the list of binaries in its manifest.
const BEHIND_BINARIES: &str = "\n[dependencies]\n";

/// Adds the ROM `name` with this `source` to the workspace at `root`.
pub fn make(root: &Path, name: &Name, source: &str) -> Result<Made> {
    let manifest = root.join(PACKAGE).join(rom::MANIFEST);
    let text = fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let text = with_binary(&text, name).with_context(|| format!("{} lists no binaries", manifest.display()))?;
    let file = root.join(rom::SOURCES).join(format!("{name}.rs"));
    create(&file, source)?;
    if let Err(why) = write(&manifest, text.as_bytes()) {
        // The manifest is as it was; without the file, so is everything.
        drop(fs::remove_file(&file));
        return Err(why);
    }
    Ok(Made {
        source: file,
        choice: name.as_str().into(),
    })
}

/// The manifest `text` with one more binary, which is not to be tested, like the others.
fn with_binary(text: &str, name: &Name) -> Option<String> {
    let (binaries, rest) = text.split_once(BEHIND_BINARIES)?;
    Some(format!(
        "{binaries}\n[[bin]]\nname = \"{name}\"\ntest = false\n{BEHIND_BINARIES}{rest}"
    ))
}

/// Writes a file that must not exist.
fn create(path: &Path, text: &str) -> Result<()> {
    let file = File::create_new(path).with_context(|| format!("cannot create {}", path.display()))?;
    let written = { file }.write_all(text.as_bytes());
    if written.is_err() {
        drop(fs::remove_file(path));
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}
