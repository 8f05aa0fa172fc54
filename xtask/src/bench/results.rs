//! All that one measurement has to tell.

use super::by_hand::{self, Pair};
use super::calls::Counted;
use super::conditions::Conditions;
use super::figures::{self, Figure};
use super::subject::Subject;
use crate::platform::Platform;
use serde::{Deserialize, Serialize};

/// Figures of several platforms, and what they depend on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Under which conditions each image was measured.
    pub conditions: Vec<Conditions>,
    /// The figures, image by image, in the order in which they were measured.
    pub figures: Vec<Figure>,
    /// Leaf operations beside what was written by hand.
    pub by_hand: Vec<Pair>,
}

impl Results {
    /// Adds what a kernel has printed, and what was counted with its twin, if it has one.
    pub fn add(&mut self, subject: Subject, transcript: &str, counted: &Counted) {
        let name = subject.name();
        self.conditions.push(Conditions::of(subject, transcript));
        self.figures.extend(figures::read(&name, transcript, counted));
        self.by_hand.extend(by_hand::read(&name, transcript));
    }

    /// The platforms that were measured with an image of their own.
    pub fn singles(&self) -> Vec<&'static str> {
        let measured = self.platforms();
        let all = Platform::ALL.into_iter().map(Platform::name);
        all.filter(|name| measured.contains(name)).collect()
    }

    /// The names of all that was measured, in that order.
    pub fn platforms(&self) -> Vec<&str> {
        distinct(self.figures.iter().map(|figure| figure.platform.as_str()))
    }

    /// The figure of an operation on a platform.
    pub fn figure(&self, platform: &str, operation: &str) -> Option<&Figure> {
        let mut all = self.figures.iter();
        all.find(|figure| figure.platform == platform && figure.operation == operation)
    }

    /// Under which conditions a platform was measured.
    pub fn conditions_of(&self, platform: &str) -> Option<&Conditions> {
        self.conditions
            .iter()
            .find(|conditions| conditions.platform == platform)
    }
}

/// Each name once, in the order of first appearance.
pub fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[cfg(test)]
pub mod tests {
    use super::super::figures::tests::{calling, steady};
    use super::*;

    /// Some of everything.
    pub fn some() -> Results {
        let mut uneven = steady("xen", "time.now", 40.0);
        uneven.max = 43.5;
        Results {
            conditions: vec![
                Conditions::of(Subject::Single(Platform::Native), ""),
                Conditions::of(Subject::Single(Platform::Xen), "Xen version 4.17.7 (Debian 1) ("),
            ],
            figures: vec![
                steady("native", "time.now", 8.0),
                steady("native", "mask-unmask", 2.0),
                uneven,
                steady("xen", "mask-unmask", 5.0),
                calling("xen", "null-call", 856.0, &[("iret", 1.0)]),
                steady("vmi", "mask-unmask", 2.1),
            ],
            by_hand: vec![Pair {
                platform: "native".into(),
                operation: "time.now".into(),
                compiled: 8.0,
                by_hand: 7.0,
                compiled_bytes: 28.0,
                by_hand_bytes: 28.0,
            }],
        }
    }

    #[test]
    fn what_a_kernel_printed_is_taken_apart() {
        let mut results = Results::default();
        let output =
            "Xen version 4.17.7 (Debian 1) (gcc)\nbench time.now 8 8 8\nby-hand time.now 8 8 8 28.000 28.000\n";
        results.add(
            Subject::Single(Platform::Xen),
            output,
            &Counted::of_calls("calls time.now iret=2.00\n"),
        );
        assert_eq!(results.platforms(), ["xen"]);
        assert_eq!(results.figure("xen", "time.now").unwrap().calls["iret"], 2.0);
        assert_eq!(results.by_hand.len(), 1);
        assert!(results.conditions_of("xen").unwrap().xen.is_some());
    }

    #[test]
    fn the_parent_is_no_platform_and_has_figures_of_its_own() {
        let mut results = Results::default();
        for (subject, output) in [
            (Subject::Single(Platform::Xen), "bench yield 8.0 8.0 8.0\n"),
            (Subject::Parent(Platform::Xen), "bench yield 9.0 9.0 9.0\n"),
        ] {
            results.add(subject, output, &Counted::default());
        }
        assert_eq!(results.platforms(), ["xen", "paravirt-xen"]);
        assert_eq!(results.singles(), ["xen"]);
        assert_eq!(results.figure("paravirt-xen", "yield").unwrap().median, 9.0);
        assert_eq!(
            results.conditions_of("paravirt-xen").unwrap().to_string(),
            results.conditions_of("xen").unwrap().to_string()
        );
    }
}
