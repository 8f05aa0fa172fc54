//! Tests, their verdicts, and how they are counted.

use super::answers::Evidence;
use std::fmt;

/// What came out of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Not as it should be, and why.
    Failed(String),
    /// Not run, and why.
    Skipped(String),
}

impl Verdict {
    /// Passed if `good`, else failed for the reason that `why` gives.
    pub fn when(good: bool, why: impl FnOnce() -> String) -> Self {
        if good { Self::Passed } else { Self::Failed(why()) }
    }
}

/// One test in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name, the same in every run it appears in.
    pub name: String,
    /// What came out.
    pub verdict: Verdict,
}

impl Case {
    /// The test `name` with its verdict.
    pub fn new(name: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            name: name.into(),
            verdict,
        }
    }
}

/// One run: a column of the table.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// What is special about this run, in a word or two.
    pub label: String,
    /// The tests in the order they ran.
    pub cases: Vec<Case>,
    /// What was printed in the runs in which a test failed.
    pub transcript: String,
    /// Which kernel its machines were given, and what a ROM has made of it.
    pub evidence: Vec<Evidence>,
}

impl Column {
    /// The run called `label` with its tests; `output` is kept only if one of them failed.
    pub fn of(label: impl Into<String>, cases: Vec<Case>, output: &str) -> Self {
        let failed = cases.iter().any(|case| matches!(case.verdict, Verdict::Failed(_)));
        Self {
            label: label.into(),
            cases,
            transcript: if failed { output.to_owned() } else { String::new() },
            evidence: Vec::new(),
        }
    }

    /// A run that came to nothing: `why` tells what stood in the way.
    pub fn failed(label: impl Into<String>, why: impl Into<String>) -> Self {
        let label = label.into();
        Self {
            cases: vec![Case::new("run", Verdict::Failed(why.into()))],
            label,
            ..Self::default()
        }
    }
}

/// Adds a run to `columns`: to the column with its label if there is one, else as a new one.
pub fn merge(columns: &mut Vec<Column>, run: Column) {
    match columns.iter_mut().find(|column| column.label == run.label) {
        Some(column) => {
            column.cases.extend(run.cases);
            column.transcript.push_str(&run.transcript);
            column.evidence.extend(run.evidence);
        }
        None => columns.push(run),
    }
}

/// How many tests passed, failed and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// As they should be.
    pub passed: u64,
    /// Not as they should be.
    pub failed: u64,
    /// Not run.
    pub skipped: u64,
}

impl Tally {
    /// What came out of `cases`.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut tally = Self::default();
        for case in cases {
            match case.verdict {
                Verdict::Passed => tally.passed += 1,
                Verdict::Failed(_) => tally.failed += 1,
                Verdict::Skipped(_) => tally.skipped += 1,
            }
        }
        tally
    }

    /// Adds what another run counted.
    pub fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_on_the_same_machine_share_a_column() {
        let mut columns = Vec::new();
        let failed = Case::new("b", Verdict::Failed("x".into()));
        merge(
            &mut columns,
            Column::of("pvh", vec![Case::new("a", Verdict::Passed)], "all is well"),
        );
        merge(&mut columns, Column::of("pvh", vec![failed], "PANIC"));
        merge(&mut columns, Column::failed("bios", "no disk"));
        let shapes: Vec<_> = columns
            .iter()
            .map(|run| (&*run.label, run.cases.len(), &*run.transcript))
            .collect();
        assert_eq!(shapes, [("pvh", 2, "PANIC"), ("bios", 1, "")]);
    }

    #[test]
    fn counted_by_kind() {
        let verdicts = [
            Verdict::Passed,
            Verdict::Failed("x".into()),
            Verdict::Passed,
            Verdict::Skipped("y".into()),
        ];
        let mut tally = Tally::of(&verdicts.map(|verdict| Case::new("a", verdict)));
        tally.add(&Tally {
            passed: 10,
            failed: 0,
            skipped: 1,
        });
        assert_eq!(tally.to_string(), "12 passed, 1 failed, 2 skipped");
    }
}
