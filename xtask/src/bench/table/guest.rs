//! The table of the image for vmi beneath Xen: without a ROM and with Xen's, what that gains, and how often the processor leaves.

use super::super::calls::{self, Calls};
use super::super::figures::Figure;
use super::super::gain::{Gain, WITH, WITHOUT};
use super::super::results::{Results, distinct};
use super::{NOTHING, Table, measured};

/// What the columns hold. Exits are told in all, and by the reasons.
const HEADING: [&str; 6] = [
    "instructions",
    "no ROM",
    "ROM xen",
    "gain",
    "no ROM: exits",
    "ROM xen: exits",
];

/// A row for each operation that was measured there.
pub fn table(results: &Results) -> Table {
    let names = [WITHOUT, WITH];
    let figures = results.figures.iter();
    let figures = figures.filter(|figure| names.contains(&figure.platform.as_str()));
    Table {
        title: "vmi as PVH dom0 of Xen",
        heading: HEADING.map(str::to_owned).to_vec(),
        rows: distinct(figures.map(|figure| figure.operation.as_str()))
            .into_iter()
            .map(|operation| row(results, operation))
            .collect(),
    }
}

fn row(results: &Results, operation: &str) -> Vec<String> {
    let both = [WITHOUT, WITH].map(|name| results.figure(name, operation));
    let cells = |of: fn(&Figure) -> String| both.map(|figure| figure.map_or_else(|| NOTHING.to_owned(), of));
    let gain = Gain::of(&results.figures, operation);
    let [without, with] = cells(measured);
    let with = format!("{with}{}", gain.map(verdict).unwrap_or_default());
    let factor = gain.and_then(Gain::factor).map(shown);
    let exits = cells(|figure| exits(&figure.exits));
    let first = [
        operation.to_owned(),
        without,
        with,
        factor.unwrap_or_else(|| NOTHING.to_owned()),
    ];
    first.into_iter().chain(exits).collect()
}

/// How many there are in all, and for which reasons: `3: rdtsc 2, vmmcall 1`.
fn exits(exits: &Calls) -> String {
    if exits.is_empty() {
        return "0".to_owned();
    }
    let all = (exits.values().sum::<f64>() * 100.0).round() / 100.0;
    format!("{all}: {}", calls::describe(exits))
}

/// A factor to two places that tell something.
fn shown(factor: f64) -> String {
    match factor {
        ..0.01 => format!("{factor:.4}"),
        0.01..0.1 => format!("{factor:.3}"),
        _ => format!("{factor:.2}"),
    }
}

/// What the bar says.
fn verdict(gain: Gain) -> String {
    match gain.limit() {
        Some(limit) if gain.is_met() => format!(" ≤ {limit}"),
        Some(limit) => format!(" > {limit} MISSED"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::figures::tests::{leaving, steady};
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
    fn an_operation_is_told_without_and_with_the_rom() {
        let figures = [
            steady("vmi", "time.set_alarm", 17.0),
            leaving(WITHOUT, "time.set_alarm", 30_910.0, &[("npf", 1.0), ("rdtsc", 2.0)]),
            steady(WITHOUT, "irq.disable", 1.0),
            steady(WITHOUT, "console.read", 12.0),
            leaving(WITH, "time.set_alarm", 12_480.0, &[("vmmcall", 1.0), ("rdtsc", 0.5)]),
            steady(WITH, "irq.disable", 1.0),
            steady(WITH, "console.read", 6913.0),
            steady(WITH, "yield", 9.0),
        ];
        assert_eq!(
            rows(&figures),
            [
                "time.set_alarm | 30910 | 12480 ≤ 15455 | 2.48 | 3: npf 1, rdtsc 2 | 1.5: rdtsc 0.5, vmmcall 1",
                "irq.disable | 1 | 1 | 1.00 | 0 | 0",
                "console.read | 12 | 6913 | 0.0017 | 0 | 0",
                "yield | - | 9 | - | - | 0"
            ]
        );
    }

    #[test]
    fn too_little_gained_is_said() {
        let figures = [
            steady(WITHOUT, "ipi-to-self", 20_000.0),
            steady(WITH, "ipi-to-self", 10_001.0),
        ];
        assert_eq!(
            rows(&figures),
            ["ipi-to-self | 20000 | 10001 > 10000 MISSED | 2.00 | 0 | 0"]
        );
    }

    #[test]
    fn without_it_there_are_no_rows() {
        assert_eq!(rows(&[steady("vmi", "yield", 200.0)]), Vec::<String>::new());
    }
}
