//! The table in the book: between two marks in `docs/bench.md`, the rest of which is written by hand.

use super::results::Results;
use super::table;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// The page, from the project's root.
const FILE: &str = "docs/bench.md";
/// The line before the table.
const BEGIN: &str = "<!-- What follows was written by `cargo xtask bench --save`. -->\n";
/// The line behind it.
const END: &str = "<!-- End of what was written. -->\n";

/// Puts the tables of `results` into the page.
///
/// # Errors
/// The page cannot be read or written, or has no marks.
pub fn write(root: &Path, results: &Results) -> Result<()> {
    let file = root.join(FILE);
    let page = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let page =
        with_table(&page, &table::markdown(results)).with_context(|| format!("{FILE} has no place for the table"))?;
    fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))
}

/// `page` with `table` between the marks.
fn with_table(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_takes_the_place_of_the_last_one() {
        let page = format!("# Title\n\n{BEGIN}\n| old |\n\n{END}\nMore.\n");
        let new = with_table(&page, "| new |\n").unwrap();
        assert_eq!(new, format!("# Title\n\n{BEGIN}\n| new |\n\n{END}\nMore.\n"));
        assert_eq!(with_table(&new, "| new |\n").unwrap(), new);
    }

    #[test]
    fn a_page_without_marks_is_left_alone() {
        assert_eq!(with_table("# Title\n", "| new |\n"), None);
    }
}
