//! All that one measurement has to tell.

use super::by_hand::{self, Pair};
use super::conditions::Conditions;
use super::figures::{self, Figure};
use crate::platform::Platform;
use serde::{Deserialize, Serialize};

/// Figures of several platforms, and what they depend on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Under which conditions each platform was measured.
    pub conditions: Vec<Conditions>,
    /// The figures, platform by platform, in the order in which they were measured.
    pub figures: Vec<Figure>,
    /// Leaf operations beside what was written by hand.
    pub by_hand: Vec<Pair>,
}

impl Results {
    /// Adds what the kernel for `platform` has printed, and its twin that counts, if it has one.
    pub fn add(&mut self, platform: Platform, transcript: &str, counted: Option<&str>) {
        self.conditions.push(Conditions::of(platform, transcript));
        self.figures.extend(figures::read(platform.name(), transcript, counted));
        self.by_hand.extend(by_hand::read(platform.name(), transcript));
    }

    /// The platforms, in the order in which they were measured.
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
                Conditions::of(Platform::Native, ""),
                Conditions::of(Platform::Xen, "Xen version 4.17.7 (Debian 1) ("),
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
        results.add(Platform::Xen, output, Some("calls time.now iret=2.00\n"));
        assert_eq!(results.platforms(), ["xen"]);
        assert_eq!(results.figure("xen", "time.now").unwrap().calls["iret"], 2.0);
        assert_eq!(results.by_hand.len(), 1);
        assert!(results.conditions_of("xen").unwrap().xen.is_some());
    }
}
