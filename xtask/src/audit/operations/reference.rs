//! References: one file for each platform in `docs/operations`, and for an image of all of them on two, for people to read and to review.
//!
//! ```text
//! callee subarch_native::…: sends an interrupt to each CPU, and waits
//!
//! IrqOps.disable: leaf, 1 bytes, 0 of stack
//!     cli
//! MmuOps.flush_on: 5 bytes, 0 of stack, calls subarch_native::…
//!     essence cli
//!     essence sti
//!     cli
//!     call …
//! ```
//!
//! A line that is not indented begins an operation: its name, `leaf` if it may call nothing, its figures, and what it calls. Its
//! instructions follow, one a line; and before them its essence, if it has one, one a line too. What is called has a line of its own with a reason, once
//! for all operations. Lines that begin with `#` are for the reader.
//!
//! Saving writes anew what is measured, and keeps what somebody has decided: the reasons, and that an operation is a leaf.

use super::sequence::Sequence;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// All that was reviewed on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// What each operation was, by its name.
    pub operations: BTreeMap<String, Reference>,
    /// Why this function may be called, by the function's name.
    pub reasons: BTreeMap<String, String>,
}

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

/// The references of this name.
///
/// # Errors
/// There is no such file, or a line of it is not of the form above; the error names file and line.
pub fn read(root: &Path, name: &str) -> Result<References> {
    let file = file(root, name);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text).with_context(|| format!("{} holds no references", file.display()))
}

/// Writes references for all that was `found`, and keeps what was decided.
///
/// # Errors
/// What there is cannot be read, or not be written.
pub fn write(root: &Path, name: &str, found: &BTreeMap<String, Sequence>) -> Result<()> {
    let file = file(root, name);
    let before = if file.exists() {
        read(root, name)?
    } else {
        References::default()
    };
    fs::write(&file, format!("{HEADING}{}", text(found, &before)))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn file(root: &Path, name: &str) -> PathBuf {
    root.join("docs/operations").join(format!("{name}.txt"))
}

/// All operations as the file has them, with what was decided `before`.
fn text(found: &BTreeMap<String, Sequence>, before: &References) -> String {
    let callees: BTreeSet<_> = found.values().flat_map(|sequence| &sequence.calls).collect();
    let reason = |callee| before.reasons.get(callee).map_or("", |reason| reason);
    let mut text: String = callees
        .into_iter()
        .map(|callee| format!("callee {callee}: {}", reason(callee)).trim_end().to_owned() + "\n")
        .collect();
    text.push('\n');
    for (name, sequence) in found {
        let was_leaf = before.operations.get(name).is_some_and(|reference| reference.is_leaf);
        let leaf = if was_leaf || sequence.calls.is_empty() {
            "leaf, "
        } else {
            ""
        };
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
        for essence in &sequence.essence {
            let _ = writeln!(text, "    essence {essence}");
        }
        for line in &sequence.lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

/// Reads what [`text`] writes.
fn parse(text: &str) -> Result<References> {
    let mut references = References::default();
    let mut current = None;
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        take(line, &mut references, &mut current).with_context(|| format!("line {}: `{line}`", number + 1))?;
    }
    Ok(references)
}

/// Takes one line; `current` is the operation that indented lines belong to.
fn take(line: &str, references: &mut References, current: &mut Option<String>) -> Result<()> {
    if let Some(inside) = line.strip_prefix("    ") {
        let reference = current.as_ref().and_then(|name| references.operations.get_mut(name));
        add(reference.context("it belongs to no operation")?, inside);
    } else if let Some(callee) = line.strip_prefix("callee ") {
        let parts = callee
            .split_once(": ")
            .or(callee.strip_suffix(':').map(|name| (name, "")));
        let (name, reason) = parts.context("a colon and a reason are missing")?;
        let twice = references.reasons.insert(name.to_owned(), reason.to_owned());
        ensure!(twice.is_none(), "{name} is there twice");
    } else {
        let (name, reference) = heading(line)?;
        let twice = references.operations.insert(name.clone(), reference);
        ensure!(twice.is_none(), "{name} is there twice");
        *current = Some(name);
    }
    Ok(())
}

/// Adds a line to an operation.
fn add(reference: &mut Reference, line: &str) {
    let sequence = &mut reference.sequence;
    if let Some(essence) = line.strip_prefix("essence ") {
        sequence.essence.push(essence.to_owned());
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
            essence: ["cli", "sti"].map(str::to_owned).to_vec(),
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
        let references = parse(&format!("{HEADING}{}", text(&found, &References::default()))).unwrap();
        let operations = &references.operations;
        let sequences: BTreeMap<_, _> = operations
            .iter()
            .map(|(name, each)| (name.clone(), each.sequence.clone()))
            .collect();
        assert_eq!(sequences, found);
        assert_eq!(
            [operations["G.calls"].is_leaf, operations["G.leaf"].is_leaf],
            [false, true]
        );
        let callees: Vec<_> = references.reasons.keys().collect();
        assert_eq!(callees, ["f", "g"]);
    }

    #[test]
    fn what_was_decided_is_kept() {
        let before = "callee f: because\ncallee gone: it was called\nG.calls: leaf, 1 bytes, 0 of stack\n    cli\n";
        let before = parse(before).unwrap();
        let found = BTreeMap::from([("G.calls".to_owned(), sequence())]);
        let after = parse(&text(&found, &before)).unwrap();
        assert!(after.operations["G.calls"].is_leaf);
        let reasons = [("f", "because"), ("g", "")].map(|(callee, reason)| (callee.to_owned(), reason.to_owned()));
        assert_eq!(after.reasons, BTreeMap::from(reasons));
    }

    #[test]
    fn malformed_files_are_refused_by_line() {
        let cases = [
            ("    cli", "line 1: `    cli`: it belongs to no operation"),
            ("callee f", "a colon and a reason"),
            ("callee f: a\ncallee f: b", "line 2: `callee f: b`: f is there twice"),
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
