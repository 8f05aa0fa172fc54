//! The table operation × platform, for a terminal and for the book.

use super::bars::bar;
use super::figures::Figure;

/// The table for a terminal.
pub fn render(figures: &[Figure]) -> String {
    let rows = rows(figures);
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<_> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The table as Markdown.
pub fn markdown(figures: &[Figure]) -> String {
    let mut lines: Vec<String> = rows(figures)
        .iter()
        .map(|row| format!("| {} |\n", row.join(" | ")))
        .collect();
    let columns = platforms(figures).len() + 1;
    lines.insert(1, format!("|{}\n", "---|".repeat(columns)));
    lines.concat()
}

/// The heading and a row for each operation, in the order in which they first appear.
fn rows(figures: &[Figure]) -> Vec<Vec<String>> {
    let platforms = platforms(figures);
    let heading = ["instructions"].into_iter().chain(platforms.iter().copied());
    let mut rows = vec![heading.map(str::to_owned).collect::<Vec<_>>()];
    for operation in distinct(figures.iter().map(|figure| figure.operation.as_str())) {
        let cells = platforms.iter().map(|platform| cell(figures, platform, operation));
        rows.push([operation.to_owned()].into_iter().chain(cells).collect());
    }
    rows
}

/// The middle figure; how far the batches were apart, if they were; and what the bar says.
fn cell(figures: &[Figure], platform: &str, operation: &str) -> String {
    let here = |figure: &&Figure| figure.platform == platform && figure.operation == operation;
    let Some(figure) = figures.iter().find(here) else {
        return "-".to_owned();
    };
    let Figure { min, median, max, .. } = figure;
    let spread = if min == max {
        String::new()
    } else {
        format!(" ({min}–{max})")
    };
    let verdict = match bar(platform, operation) {
        Some(bar) if *median <= bar.limit => format!(", at most {}: met", bar.limit),
        Some(bar) => format!(", at most {}: MISSED", bar.limit),
        None => String::new(),
    };
    format!("{median}{spread}{verdict}")
}

fn platforms(figures: &[Figure]) -> Vec<&str> {
    distinct(figures.iter().map(|figure| figure.platform.as_str()))
}

/// Each name once, in the order of first appearance.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::steady;
    use super::*;

    fn figures() -> Vec<Figure> {
        let mut uneven = steady("xen", "clock", 40.0);
        uneven.max = 43.5;
        vec![
            steady("native", "mask-unmask", 2.0),
            steady("native", "clock", 8.0),
            steady("xen", "mask-unmask", 5.0),
            uneven,
        ]
    }

    #[test]
    fn a_terminal_gets_columns() {
        let expected = "\
instructions  native             xen
mask-unmask   2, at most 2: met  5, at most 4: MISSED
clock         8                  40 (40–43.5)
";
        assert_eq!(render(&figures()), expected);
    }

    #[test]
    fn the_book_gets_markdown() {
        let expected = "\
| instructions | native | xen |
|---|---|---|
| mask-unmask | 2, at most 2: met | 5, at most 4: MISSED |
| clock | 8 | 40 (40–43.5) |
";
        assert_eq!(markdown(&figures()), expected);
    }

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let some = [steady("native", "clock", 8.0), steady("xen", "mutex", 10.0)];
        assert!(render(&some).contains("mutex         -       10"), "{}", render(&some));
    }
}
