//! The table of the parent: its one image where it is measured, each time beside the image of the platform that it finds there.
//!
//! Bars on the two that it is compared with stand in the other table. Here one image is to cost what the other does, and only where it does not
//! is there something to say.

use super::super::figures::{Figure, Group};
use super::super::patchable::{PARENT_BARE, PARENT_XEN, Pair};
use super::super::results::{Results, distinct};
use super::{NOTHING, Table, measured};

/// The pairs, and what the column of the parent is called in each.
const COLUMNS: [(Pair, &str); 2] = [(PARENT_BARE, "paravirt, bare"), (PARENT_XEN, "paravirt, Xen")];

/// A row for each composite operation, if the parent was measured.
pub fn table(results: &Results) -> Table {
    let heading = COLUMNS.iter().flat_map(|(pair, name)| [pair.single, name]);
    let is_parents = |figure: &&Figure| COLUMNS.iter().any(|(pair, _)| figure.platform == pair.patchable);
    let composite = results.figures.iter().filter(is_parents);
    let composite = composite.filter(|figure| figure.group() == Group::Composite);
    Table {
        title: "The parent beside one platform",
        heading: ["instructions"].into_iter().chain(heading).map(str::to_owned).collect(),
        rows: distinct(composite.map(|figure| figure.operation.as_str()))
            .into_iter()
            .map(|operation| row(results, operation))
            .collect(),
    }
}

fn row(results: &Results, operation: &str) -> Vec<String> {
    let cells = COLUMNS.iter().flat_map(|(pair, _)| cells(results, pair, operation));
    [operation.to_owned()].into_iter().chain(cells).collect()
}

/// What an operation costs in the image of one platform, and in the parent's with a word if that is too much.
fn cells(results: &Results, pair: &Pair, operation: &str) -> [String; 2] {
    let [single, parent] = [pair.single, pair.patchable].map(|name| {
        let figure = results.figure(name, operation);
        figure.map_or_else(|| NOTHING.to_owned(), measured)
    });
    let verdict = match pair.price(&results.figures, operation) {
        Some(price) if !price.is_met() => format!(" > {:.1} MISSED", price.limit),
        _ => String::new(),
    };
    [single, format!("{parent}{verdict}")]
}

#[cfg(test)]
mod tests {
    use super::super::super::figures::tests::steady;
    use super::*;

    fn rows(figures: &[Figure]) -> Vec<String> {
        let results = Results {
            figures: figures.to_vec(),
            ..Results::default()
        };
        let table = table(&results);
        assert!(table.rows.iter().all(|row| row.len() == table.heading.len()));
        table.rows.iter().map(|row| row.join(" | ")).collect()
    }

    #[test]
    fn each_of_its_figures_stands_behind_that_of_one_platform() {
        let mut uneven = steady("paravirt-xen", "yield", 2030.0);
        uneven.max = 2033.5;
        let figures = [
            steady("native", "mask-unmask", 2.0),
            steady("native", "yield", 200.0),
            steady("xen", "yield", 2000.0),
            steady("paravirt-native", "irq.enable", 2.0),
            steady("paravirt-native", "mask-unmask", 3.0),
            steady("paravirt-native", "yield", 202.5),
            uneven,
        ];
        assert_eq!(
            rows(&figures),
            [
                "mask-unmask | 2 | 3 | - | -",
                "yield | 200 | 202.5 > 202.0 MISSED | 2000 | 2030 (2030–2033.5) > 2020.0 MISSED"
            ]
        );
    }

    #[test]
    fn without_the_parent_there_are_no_rows() {
        assert_eq!(rows(&[steady("native", "yield", 200.0)]), Vec::<String>::new());
    }
}
