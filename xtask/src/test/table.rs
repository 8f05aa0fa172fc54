//! The table test × run.

use super::case::{Column, Verdict};

/// Draws a table: tests down the side in the order they first appear, runs across the top.
pub fn render(title: &str, columns: &[Column]) -> String {
    let names = names(columns);
    let side = names
        .iter()
        .map(|name| name.chars().count())
        .chain([title.chars().count()])
        .max()
        .unwrap_or(0);
    let mut lines = vec![format!("{title:side$}")];
    for name in &names {
        lines.push(format!("{name:side$}"));
    }
    for column in columns {
        let width = column.label.chars().count().max("FAILED".len());
        lines[0].push_str(&format!("  {:width$}", column.label));
        for (line, name) in lines[1..].iter_mut().zip(&names) {
            line.push_str(&format!("  {:width$}", cell(column, name)));
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// The names of all tests, each once.
fn names(columns: &[Column]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for case in columns.iter().flat_map(|column| &column.cases) {
        if !names.contains(&case.name.as_str()) {
            names.push(&case.name);
        }
    }
    names
}

/// What became of test `name` in one run; a dash if it is not part of that run.
fn cell(column: &Column, name: &str) -> &'static str {
    match column
        .cases
        .iter()
        .find(|case| case.name == name)
        .map(|case| &case.verdict)
    {
        None => "-",
        Some(Verdict::Passed) => "ok",
        Some(Verdict::Failed(_)) => "FAILED",
        Some(Verdict::Skipped(_)) => "skip",
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::Case;
    use super::*;

    fn column(label: &str, cases: &[(&str, Verdict)]) -> Column {
        let cases = cases
            .iter()
            .map(|(name, verdict)| Case::new(*name, verdict.clone()))
            .collect();
        Column {
            label: label.into(),
            cases,
            ..Column::default()
        }
    }

    #[test]
    fn runs_stand_side_by_side() {
        let columns = [
            column(
                "pvh",
                &[("heap", Verdict::Passed), ("timer", Verdict::Failed("late".into()))],
            ),
            column(
                "microvm",
                &[("timer", Verdict::Passed), ("rtc", Verdict::Skipped("none".into()))],
            ),
        ];
        let expected = "\
native  pvh     microvm
heap    ok      -
timer   FAILED  ok
rtc     -       skip";
        assert_eq!(render("native", &columns), expected);
    }

    #[test]
    fn an_empty_table_is_its_title() {
        assert_eq!(render("xen", &[]), "xen");
    }
}
