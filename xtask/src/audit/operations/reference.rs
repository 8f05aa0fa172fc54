//! References: one file for each platform in `docs/operations`, for people to read and to review.
//!
//! ```text
//! IrqOps.disable: leaf, 1 bytes, 0 of stack
//!     cli
//! MmuOps.flush_on: 5 bytes, 0 of stack, calls subarch_native::…
//!     essence cli; sti
//!     call …
//! ```
//!
//! A line that is not indented begins an operation: its name, `leaf` if it may call nothing, its figures, and what it calls. Its
//! instructions follow, one a line; and before them its essence, if it has one. Lines that begin with `#` are for the reader.

use super::sequence::Sequence;
use crate::platform::Platform;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What an operation was reviewed to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// It must call nothing.
    pub is_leaf: bool,
    /// What it was.
    pub sequence: Sequence,
}

/// What stands above the operations of each file.
const HEADING: &str = "\
# What each operation of the border is on this platform, as reviewed: see `cargo xtask audit --help` and docs/audit.md.
# Written by `cargo xtask audit --save`; what changes here is to be looked at, line by line.

";

/// The references for `platform`, by the names of operations.
///
/// # Errors
/// There is no such file, or a line of it is not of the form above; the error names file and line.
pub fn read(root: &Path, platform: Platform) -> Result<BTreeMap<String, Reference>> {
    let file = file(root, platform);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text).with_context(|| format!("{} holds no references", file.display()))
}

/// Writes references for all that was `found`.
///
/// # Errors
/// The file cannot be written.
pub fn write(root: &Path, platform: Platform, found: &BTreeMap<String, Sequence>) -> Result<()> {
    let file = file(root, platform);
    fs::write(&file, format!("{HEADING}{}", text(found))).with_context(|| format!("cannot write {}", file.display()))
}

fn file(root: &Path, platform: Platform) -> PathBuf {
    root.join("docs/operations").join(format!("{platform}.txt"))
}

/// All operations as the file has them.
fn text(found: &BTreeMap<String, Sequence>) -> String {
    let mut text = String::new();
    for (name, sequence) in found {
        let leaf = if sequence.calls.is_empty() { "leaf, " } else { "" };
        let calls = match sequence.calls.as_slice() {
            [] => String::new(),
            calls => format!(", calls {}", calls.join(" | ")),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{name}: {leaf}{} bytes, {} of stack{calls}",
            sequence.bytes, sequence.stack
        );
        if !sequence.essence.is_empty() {
            let _ = writeln!(text, "    essence {}", sequence.essence.join("; "));
        }
        for line in &sequence.lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

/// Reads what [`text`] writes.
fn parse(text: &str) -> Result<BTreeMap<String, Reference>> {
    let mut references = BTreeMap::new();
    let mut current: Option<(String, Reference)> = None;
    for (number, line) in text.lines().enumerate() {
        let at = || format!("line {}: `{line}`", number + 1);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(inside) = line.strip_prefix("    ") {
            let Some((_, reference)) = &mut current else {
                bail!("{} belongs to no operation", at());
            };
            add(reference, inside);
        } else {
            let heading = heading(line).with_context(at)?;
            references.extend(current.replace(heading));
        }
        if let Some((name, _)) = &current {
            ensure!(!references.contains_key(name), "{}: {name} is there twice", at());
        }
    }
    references.extend(current);
    Ok(references)
}

/// Adds a line to an operation.
fn add(reference: &mut Reference, line: &str) {
    let sequence = &mut reference.sequence;
    if let Some(essence) = line.strip_prefix("essence ") {
        sequence.essence = essence.split("; ").map(str::to_owned).collect();
        return;
    }
    let is_label = line
        .strip_suffix(':')
        .is_some_and(|number| number.parse::<u32>().is_ok());
    sequence.instructions += usize::from(!is_label);
    sequence.lines.push(line.to_owned());
}

/// The first line of an operation.
fn heading(line: &str) -> Result<(String, Reference)> {
    let (name, rest) = line
        .split_once(": ")
        .context("an operation's name and a colon are missing")?;
    let (rest, calls) = match rest.split_once(", calls ") {
        Some((rest, calls)) => (rest, calls.split(" | ").map(str::to_owned).collect()),
        None => (rest, Vec::new()),
    };
    let (is_leaf, figures) = match rest.strip_prefix("leaf, ") {
        Some(figures) => (true, figures),
        None => (false, rest),
    };
    let figures = figures
        .strip_suffix(" of stack")
        .and_then(|figures| figures.split_once(" bytes, "));
    let (bytes, stack) = figures.context("`N bytes, N of stack` are missing")?;
    let sequence = Sequence {
        lines: Vec::new(),
        bytes: bytes.parse().context("the bytes are no number")?,
        instructions: 0,
        stack: stack.parse().context("the stack is no number")?,
        calls,
        indirect: Vec::new(),
        essence: Vec::new(),
    };
    Ok((name.to_owned(), Reference { is_leaf, sequence }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence() -> Sequence {
        Sequence {
            lines: ["call f", "1:", "cli"].map(str::to_owned).to_vec(),
            bytes: 6,
            instructions: 2,
            stack: 8,
            calls: ["f", "g"].map(str::to_owned).to_vec(),
            indirect: Vec::new(),
            essence: vec!["cli".to_owned()],
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let leaf = Sequence {
            calls: Vec::new(),
            essence: Vec::new(),
            ..sequence()
        };
        let found = BTreeMap::from([("G.calls".to_owned(), sequence()), ("G.leaf".to_owned(), leaf)]);
        let references = parse(&format!("{HEADING}{}", text(&found))).unwrap();
        let sequences: BTreeMap<_, _> = references
            .iter()
            .map(|(name, each)| (name.clone(), each.sequence.clone()))
            .collect();
        assert_eq!(sequences, found);
        assert_eq!(
            [references["G.calls"].is_leaf, references["G.leaf"].is_leaf],
            [false, true]
        );
    }

    #[test]
    fn malformed_files_are_refused_by_line() {
        let cases = [
            ("    cli", "line 1: `    cli` belongs to no operation"),
            ("G.f", "colon"),
            ("# fine\nG.f: leaf", "line 2"),
            ("G.f: leaf, x bytes, 0 of stack", "no number"),
            ("G.f: 1 bytes, y of stack", "no number"),
            ("G.f: 1 bytes, 0 of stack\nG.f: 1 bytes, 0 of stack", "twice"),
        ];
        for (text, complaint) in cases {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(complaint), "{error}");
        }
    }
}
