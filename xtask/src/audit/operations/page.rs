//! The table operation × platform in the book.

use super::reference::{self, Reference};
use crate::platform::Platform;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The page, from the project's root.
const FILE: &str = "docs/operations.md";
/// The line before the table.
const BEGIN: &str = "<!-- What follows was written by `cargo xtask audit --save`. -->\n";
/// The line behind it.
const END: &str = "<!-- End of what was written. -->\n";
/// How many instructions of an operation are shown; the files have all.
const SHOWN: usize = 8;

/// Puts the table of all references into the page.
///
/// # Errors
/// The references cannot be read, or the page has no place for the table.
pub fn write(root: &Path) -> Result<()> {
    let file = root.join(FILE);
    let page = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let page = with_table(&page, &table(root)?).with_context(|| format!("{FILE} has no place for the table"))?;
    fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))
}

/// `page` with `table` between the marks.
fn with_table(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

/// The table, group by group.
fn table(root: &Path) -> Result<String> {
    let columns = Platform::ALL.map(|platform| Ok(reference::read(root, platform.name())?.operations));
    let columns = columns.into_iter().collect::<Result<Vec<_>>>()?;
    let mut operations: Vec<&String> = columns.iter().flat_map(BTreeMap::keys).collect();
    operations.sort();
    operations.dedup();
    let mut table = String::new();
    let mut group = "";
    for operation in operations {
        let (of, name) = operation.split_once('.').unwrap_or(("", operation));
        if of != group {
            group = of;
            table.push_str(&format!(
                "\n### {group}\n\n| | native | xen | vmi |\n|---|---|---|---|\n"
            ));
        }
        let cells: Vec<_> = columns
            .iter()
            .map(|column| column.get(operation).map_or_else(String::new, cell))
            .collect();
        table.push_str(&format!("| `{name}` | {} |\n", cells.join(" | ")));
    }
    Ok(table.trim_start().to_owned())
}

/// An operation on one platform: its figures, and its instructions as far as they are few.
fn cell(reference: &Reference) -> String {
    let sequence = &reference.sequence;
    let figures = match sequence.instructions {
        0 => return "nothing at all".to_owned(),
        count => format!("{count} in {} bytes", sequence.bytes),
    };
    let stack = match sequence.stack {
        0 => String::new(),
        bytes => format!(", {bytes} of stack"),
    };
    let calls = match sequence.calls.len() {
        0 => String::new(),
        1 => ", 1 call".to_owned(),
        count => format!(", {count} calls"),
    };
    let mut lines: Vec<_> = sequence
        .lines
        .iter()
        .take(SHOWN)
        .map(|line| format!("`{}`", short(line).replace('|', "\\|")))
        .collect();
    if sequence.lines.len() > SHOWN {
        lines.push("…".to_owned());
    }
    format!("{figures}{stack}{calls}<br>{}", lines.join("<br>"))
}

/// A line in which the implementation of a trait has the type's name alone: `Xen::read`.
fn short(line: &str) -> String {
    let parts = || {
        let (before, rest) = line.split_once("<impl ")?;
        let (implementation, method) = rest.split_once(">::")?;
        let (_, of) = implementation.split_once(" for ")?;
        let type_name = of.rsplit("::").next()?;
        let before = before.trim_end_matches(|letter: char| !letter.is_whitespace());
        Some(format!("{before}{type_name}::{method}"))
    };
    parts().unwrap_or_else(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::sequence::Sequence;
    use super::*;

    fn reference(lines: &[&str]) -> Reference {
        Reference {
            is_leaf: true,
            sequence: Sequence {
                lines: lines.iter().map(ToString::to_string).collect(),
                bytes: 9,
                instructions: lines.len(),
                stack: 8,
                calls: vec!["f".to_owned()],
                indirect: Vec::new(),
                essence: Vec::new(),
            },
        }
    }

    #[test]
    fn short_operations_are_shown_whole_and_long_ones_begun() {
        assert_eq!(cell(&reference(&["cli"])), "1 in 9 bytes, 8 of stack, 1 call<br>`cli`");
        assert_eq!(cell(&reference(&[])), "nothing at all");
        assert!(cell(&reference(&["nop"; 20])).ends_with("`nop`<br>…"));
    }

    #[test]
    fn methods_are_shown_by_their_types_name() {
        let call = "jmp subarch_xen::mmu::<impl arch::mmu::MmuOps for subarch_xen::Xen>::table_give";
        assert_eq!(short(call), "jmp Xen::table_give");
        assert_eq!(
            short("call subarch_xen::irq::deliver"),
            "call subarch_xen::irq::deliver"
        );
    }

    #[test]
    fn the_table_takes_the_place_of_the_last_one() {
        let page = format!("# Title\n{BEGIN}old\n{END}More.\n");
        assert_eq!(
            with_table(&page, "new\n").unwrap(),
            format!("# Title\n{BEGIN}\nnew\n\n{END}More.\n")
        );
        assert_eq!(with_table("no marks", "new"), None);
    }

    #[test]
    fn the_book_shows_the_references_as_they_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let page = fs::read_to_string(root.join(FILE)).unwrap();
        let current = with_table(&page, &table(root).unwrap()).unwrap();
        assert!(page == current, "type `cargo xtask audit --save`");
    }
}
