//! The template, as the source of another ROM.

use super::name::Name;
use crate::rom;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// What the template says of itself and a copy must not, and what a copy says; `NAME` is the copy's.
const CHANGES: [(&str, &str); 2] = [
    (
        "//! The ROM to begin with: `cargo xtask new-rom NAME` copies this file, and `docs/writing-a-rom.md` is the guide to it.",
        "//! The ROM `NAME`. `docs/writing-a-rom.md` of Anyring is the guide to it.",
    ),
    ("name: \"template\"", "name: \"NAME\""),
];

/// The source of the ROM `name`.
pub fn of(root: &Path, name: &Name) -> Result<String> {
    let file = root.join(rom::SOURCES).join(rom::TEMPLATE).with_extension("rs");
    let mut source = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    for (old, new) in CHANGES {
        ensure!(
            source.matches(old).count() == 1,
            "{} does not say `{old}`, once",
            file.display()
        );
        source = source.replace(old, &new.replace("NAME", name.as_str()));
    }
    Ok(source)
}
