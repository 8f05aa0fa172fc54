//! A ROM as a crate in a folder of its own, wherever its author wants it.
//!
//! It depends on this checkout by path. Of the dependencies beyond it takes the versions that are locked here, so that
//! what is built here is built there without a question to the network.

use super::Made;
use super::name::Name;
use crate::failure::Failure;
use crate::rom;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// The files beside the source, with `NAME`, `VMI-ROM` and `VMI64` to be filled in.
const SKELETON: [(&str, &str); 4] = [
    (rom::MANIFEST, include_str!("skeleton/Cargo.toml.txt")),
    ("build.rs", include_str!("skeleton/build.rs.txt")),
    (".cargo/config.toml", include_str!("skeleton/config.toml.txt")),
    (".gitignore", "/target\n"),
];
/// Where the source is.
const SOURCE: &str = "src/main.rs";
/// The versions of dependencies.
const LOCK: &str = "Cargo.lock";
/// The crates of the workspace that a ROM is made of, and where they are.
const OURS: [(&str, &str); 2] = [("VMI-ROM", "vmi-rom"), ("VMI64", "subarch-vmi/abi")];

/// Makes the folder `name` in `folder`. It is written beside its place, and moved there when it is complete.
///
/// # Errors
/// [`Failure::Usage`]: there is no such folder, or something by that name in it.
pub fn make(root: &Path, name: &Name, source: &str, folder: &Path) -> Result<Made> {
    ensure!(
        folder.is_dir(),
        Failure::Usage.error(format!(
            "there is no folder {0}; type `mkdir -p {0}` first",
            folder.display()
        ))
    );
    let place = folder.join(name.as_str());
    ensure!(
        place.symlink_metadata().is_err(),
        Failure::Usage.error(format!(
            "{} is there already and was left alone; type another name, or another folder",
            place.display()
        ))
    );
    let beside = tempfile::tempdir_in(folder).with_context(|| format!("cannot write to {}", folder.display()))?;
    let made = beside.path().join(name.as_str());
    fill(&made, root, name, source).with_context(|| format!("cannot make {}", place.display()))?;
    fs::rename(&made, &place).with_context(|| format!("cannot make {}", place.display()))?;
    Ok(Made {
        source: place.join(SOURCE),
        choice: place,
    })
}

/// Writes everything into the new folder.
fn fill(crate_folder: &Path, root: &Path, name: &Name, source: &str) -> Result<()> {
    for (file, text) in SKELETON {
        let mut text = text.replace("NAME", name.as_str());
        for (placeholder, ours) in OURS {
            text = text.replace(placeholder, &quoted(&root.join(ours))?);
        }
        put(crate_folder, file, &text)?;
    }
    put(crate_folder, SOURCE, source)?;
    fs::copy(root.join(LOCK), crate_folder.join(LOCK))?;
    Ok(())
}

fn put(crate_folder: &Path, file: &str, text: &str) -> Result<()> {
    let path = crate_folder.join(file);
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)?;
    Ok(())
}

/// A path as a string of TOML.
fn quoted(path: &Path) -> Result<String> {
    let path = fs::canonicalize(path)?;
    let text = path.to_str().context("the path of this checkout is no UTF-8")?;
    Ok(toml::Value::from(text).to_string())
}
