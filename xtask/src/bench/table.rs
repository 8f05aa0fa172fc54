//! The tables operation × platform, for a terminal and for the book.

mod guest;
mod parent;

use super::bars::bar;
use super::calls;
use super::figures::{Figure, Group};
use super::gain::WITHOUT;
use super::patchable::{Price, VMI};
use super::results::{Results, distinct};

/// What stands where nothing was measured.
const NOTHING: &str = "-";

/// A heading and rows of as many cells.
struct Table {
    title: &'static str,
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The tables for a terminal.
pub fn render(results: &Results) -> String {
    let tables: Vec<_> = tables(results).iter().map(Table::columns).collect();
    tables.join("\n")
}

/// The tables as Markdown. The machines are those of the platforms, which the parent was measured on as well, and that of vmi beneath Xen, which
/// is the same for each ROM.
pub fn markdown(results: &Results) -> String {
    let conditions = results
        .singles()
        .into_iter()
        .chain([WITHOUT])
        .filter_map(|name| results.conditions_of(name));
    let conditions: Vec<_> = conditions.map(|each| format!("{}: {each}", each.platform)).collect();
    let tables: Vec<_> = tables(results).iter().map(Table::markdown).collect();
    format!("Counted on {}.\n\n{}", conditions.join("; "), tables.join("\n"))
}

fn tables(results: &Results) -> Vec<Table> {
    let all = [
        figures(results, Group::Operations, "Single operations"),
        figures(results, Group::Composite, "What the kernel makes of them"),
        guest::table(results),
        parent::table(results),
        by_hand(results),
    ];
    all.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

/// The figures of one group: a row for each operation, in the order in which they first appear.
fn figures(results: &Results, group: Group, title: &'static str) -> Table {
    let platforms = results.singles();
    let columns = columns(results, &platforms, group);
    let names = results.figures.iter().filter(|figure| figure.group() == group);
    let names = names.filter(|figure| platforms.contains(&figure.platform.as_str()));
    let row = |operation: &str| {
        let cells = columns.iter().map(|column| column.cell(results, operation));
        [operation.to_owned()].into_iter().chain(cells).collect()
    };
    Table {
        title,
        heading: ["instructions".to_owned()]
            .into_iter()
            .chain(columns.iter().map(Column::heading))
            .collect(),
        rows: distinct(names.map(|figure| figure.operation.as_str()))
            .into_iter()
            .map(row)
            .collect(),
    }
}

/// What a column behind the operation's name holds.
enum Column<'a> {
    Figure(&'a str),
    /// How many times native's figure that of vmi is.
    Ratio,
    Calls(&'a str),
}

/// The platforms' figures, then what was counted of those that go below themselves.
fn columns<'a>(results: &Results, platforms: &[&'a str], group: Group) -> Vec<Column<'a>> {
    let mut columns: Vec<_> = platforms.iter().map(|platform| Column::Figure(platform)).collect();
    if group == Group::Composite && ["native", "vmi"].iter().all(|name| platforms.contains(name)) {
        columns.push(Column::Ratio);
    }
    let goes_below = |platform: &&&str| {
        let mut all = results.figures.iter();
        all.any(|figure| figure.platform == **platform && !figure.calls.is_empty())
    };
    columns.extend(
        platforms
            .iter()
            .filter(goes_below)
            .map(|platform| Column::Calls(platform)),
    );
    columns
}

impl Column<'_> {
    fn heading(&self) -> String {
        match self {
            Self::Figure(platform) => (*platform).to_owned(),
            Self::Ratio => "vmi / native".to_owned(),
            Self::Calls(platform) => format!("{platform} calls"),
        }
    }

    fn cell(&self, results: &Results, operation: &str) -> String {
        let nothing = || NOTHING.to_owned();
        match self {
            Self::Figure(platform) => results.figure(platform, operation).map_or_else(nothing, figure),
            Self::Ratio => VMI.price(&results.figures, operation).map_or_else(nothing, ratio),
            Self::Calls(platform) => {
                let figure = results.figure(platform, operation);
                figure.map_or_else(nothing, |figure| calls::describe(&figure.calls))
            }
        }
    }
}

/// The figure, and what the bar says.
fn figure(figure: &Figure) -> String {
    let verdict = match bar(&figure.platform, &figure.operation) {
        Some(bar) if figure.median <= bar.limit => format!(" ≤ {}", bar.limit),
        Some(bar) => format!(" > {} MISSED", bar.limit),
        None => String::new(),
    };
    format!("{}{verdict}", measured(figure))
}

/// The middle figure, and how far the batches were apart, if they were.
fn measured(figure: &Figure) -> String {
    let Figure { min, median, max, .. } = figure;
    if min == max {
        median.to_string()
    } else {
        format!("{median} ({min}–{max})")
    }
}

fn ratio(price: Price) -> String {
    let verdict = if price.is_met() { "" } else { " MISSED" };
    format!("{:.3}{verdict}", price.ratio())
}

/// What was written by hand.
fn by_hand(results: &Results) -> Table {
    let heading = [
        "leaf operation",
        "platform",
        "compiled",
        "by hand",
        "difference",
        "bytes compiled",
        "by hand",
        "difference",
    ];
    let row = |pair: &super::by_hand::Pair| {
        let [instructions, bytes] = pair.difference().map(difference);
        vec![
            pair.operation.clone(),
            pair.platform.clone(),
            pair.compiled.to_string(),
            pair.by_hand.to_string(),
            instructions,
            pair.compiled_bytes.to_string(),
            pair.by_hand_bytes.to_string(),
            bytes,
        ]
    };
    Table {
        title: "Leaf operations beside the same written by hand",
        heading: heading.map(str::to_owned).to_vec(),
        rows: results.by_hand.iter().map(row).collect(),
    }
}

/// What is to be nothing.
fn difference(difference: f64) -> String {
    let verdict = if difference == 0.0 { "" } else { " MISSED" };
    format!("{difference}{verdict}")
}

impl Table {
    fn columns(&self) -> String {
        let lines = || [&self.heading].into_iter().chain(&self.rows);
        let width = |column: usize| lines().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.heading.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        format!("{}\n{}", self.title, lines().map(line).collect::<String>())
    }

    fn markdown(&self) -> String {
        let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
        let rule = format!("|{}\n", "---|".repeat(self.heading.len()));
        let rows: String = self.rows.iter().map(line).collect();
        format!("### {}\n\n{}{rule}{rows}", self.title, line(&self.heading))
    }
}

#[cfg(test)]
mod tests {
    use super::super::conditions::Conditions;
    use super::super::figures::tests::steady;
    use super::super::results::tests::some;
    use super::*;

    #[test]
    fn a_terminal_gets_columns() {
        let expected = "\
Single operations
instructions  native  xen           vmi  xen calls
time.now      8       40 (40–43.5)  -

What the kernel makes of them
instructions  native  xen             vmi  vmi / native  xen calls
mask-unmask   2 ≤ 2   5 > 4 MISSED    2.1  1.050 MISSED
null-call     -       856 ≤ 883       -    -             iret 1

Leaf operations beside the same written by hand
leaf operation  platform  compiled  by hand  difference  bytes compiled  by hand  difference
time.now        native    8         7        1 MISSED    28              28       0
";
        let rendered = render(&some());
        let squeezed = |text: &str| text.replace("  ", " ").replace("  ", " ").replace("  ", " ");
        assert_eq!(squeezed(&rendered), squeezed(expected), "{rendered}");
        let columns: Vec<_> = rendered.lines().filter_map(|line| line.find("native")).collect();
        assert_eq!(columns[..2], [14, 14], "{rendered}");
    }

    #[test]
    fn the_book_gets_markdown() {
        let text = markdown(&some());
        assert!(
            text.starts_with("Counted on native: QEMU's processor max; xen: Xen 4.17.7 (Debian 1) on"),
            "{text}"
        );
        assert!(text.contains(
            "### Single operations\n\n| instructions | native | xen | vmi | xen calls |\n|---|---|---|---|---|\n"
        ));
        assert!(
            text.contains("| mask-unmask | 2 ≤ 2 | 5 > 4 MISSED | 2.1 | 1.050 MISSED |  |\n"),
            "{text}"
        );
    }

    #[test]
    fn the_parent_has_a_table_of_its_own_and_no_place_in_the_others() {
        let before = some();
        let mut results = before.clone();
        results.figures.push(steady("paravirt-native", "time.now", 9.0));
        results.figures.push(steady("paravirt-native", "mask-unmask", 4.0));
        results.conditions.push(Conditions {
            platform: "paravirt-native".to_owned(),
            ..results.conditions[0].clone()
        });
        let own = "### The parent beside one platform\n\n\
                   | instructions | native | paravirt, bare | xen | paravirt, Xen |\n|---|---|---|---|---|\n\
                   | mask-unmask | 2 | 4 > 3.0 MISSED | 5 | - |\n\n";
        assert_eq!(markdown(&results).replace(own, ""), markdown(&before));
        assert!(markdown(&results).contains(own));
    }

    #[test]
    fn what_was_not_measured_has_no_table() {
        assert_eq!(render(&Results::default()), "");
    }
}
