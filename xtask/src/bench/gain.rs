//! What a ROM is worth: the image for vmi as a guest of Xen's with the ROM for Xen, beside the same without any.
//!
//! Without a ROM the kernel is one for bare machines, and Xen emulates what it needs of one. The ROM asks Xen for the same. For what it was
//! written for, an alarm and an interrupt between CPUs, it must take at most half of what the emulation does.

use super::figures::Figure;

/// The name that the figures have for their platform's, without a ROM.
pub const WITHOUT: &str = "vmi-pvh-none";
/// The same with the ROM.
pub const WITH: &str = "vmi-pvh-xen";

/// What must cost at most half.
const HALVED: [&str; 2] = ["time.set_alarm", "ipi-to-self"];

/// One operation in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    without: f64,
    with: f64,
    /// Whether there is a bar.
    halved: bool,
}

impl Gain {
    /// What is gained for `operation`, if it was measured both times.
    pub fn of(figures: &[Figure], operation: &str) -> Option<Self> {
        let find = |name: &str| {
            let mut all = figures.iter();
            all.find(|figure| figure.platform == name && figure.operation == operation)
        };
        let (without, with) = (find(WITHOUT)?.median, find(WITH)?.median);
        let halved = HALVED.contains(&operation);
        Some(Self { without, with, halved })
    }

    /// How many times what it costs with the ROM it costs without; nothing where one of them costs nothing.
    pub fn factor(self) -> Option<f64> {
        (self.with > 0.0 && self.without > 0.0).then(|| self.without / self.with)
    }

    /// The most that it may cost with the ROM, if there is a bar.
    pub fn limit(self) -> Option<f64> {
        self.halved.then_some(self.without / 2.0)
    }

    /// Whether it meets its bar, if there is one.
    pub fn is_met(self) -> bool {
        self.limit().is_none_or(|limit| self.with <= limit)
    }
}

/// A complaint about each operation that the ROM does not make as cheap as it must, and about each that was to be measured and was not.
pub fn missed(figures: &[Figure]) -> Vec<String> {
    let is_measured = [WITHOUT, WITH].map(|name| figures.iter().any(|figure| figure.platform == name));
    if is_measured != [true; 2] {
        return Vec::new();
    }
    let complaint = |operation: &str| match Gain::of(figures, operation) {
        None => Some(format!("{WITH} {operation}: there is a bar, but no figure")),
        Some(gain) if gain.is_met() => None,
        Some(Gain { without, with, .. }) => Some(format!(
            "{WITH} {operation}: {with} instructions, and the bar is half of the {without} without a ROM"
        )),
    };
    HALVED.into_iter().filter_map(complaint).collect()
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::steady;
    use super::super::subject::{Rom, Subject};
    use super::*;

    fn figures(alarm: f64) -> Vec<Figure> {
        vec![
            steady(WITHOUT, "time.set_alarm", 30_000.0),
            steady(WITHOUT, "ipi-to-self", 90_000.0),
            steady(WITHOUT, "time.now", 10.0),
            steady(WITH, "time.set_alarm", alarm),
            steady(WITH, "ipi-to-self", 14_000.0),
            steady(WITH, "time.now", 20.0),
        ]
    }

    #[test]
    fn half_is_enough() {
        assert_eq!(missed(&figures(15_000.0)), Vec::<String>::new());
        assert_eq!(
            missed(&figures(15_001.0)),
            ["vmi-pvh-xen time.set_alarm: 15001 instructions, and the bar is half of the 30000 without a ROM"]
        );
    }

    #[test]
    fn other_operations_have_a_gain_and_no_bar() {
        let of = |operation| Gain::of(&figures(15_000.0), operation);
        assert_eq!(
            of("time.now").map(|gain| (gain.factor(), gain.limit())),
            Some((Some(0.5), None))
        );
        assert_eq!(of("time.set_alarm").and_then(Gain::limit), Some(15_000.0));
        assert_eq!(of("yield"), None);
    }

    #[test]
    fn what_costs_nothing_has_no_factor() {
        let figures = [steady(WITHOUT, "mmu.lazy", 2.0), steady(WITH, "mmu.lazy", 0.0)];
        assert_eq!(Gain::of(&figures, "mmu.lazy").and_then(Gain::factor), None);
    }

    #[test]
    fn a_bar_without_a_figure_is_missed_where_anything_was_measured() {
        let left = figures(1.0)
            .into_iter()
            .filter(|figure| figure.operation != "ipi-to-self");
        let left: Vec<_> = left.collect();
        assert_eq!(
            missed(&left),
            ["vmi-pvh-xen ipi-to-self: there is a bar, but no figure"]
        );
        assert_eq!(missed(&left[..2]), Vec::<String>::new());
    }

    #[test]
    fn both_are_what_is_measured() {
        assert_eq!(WITHOUT, Subject::Guest(Rom::None).name());
        assert_eq!(WITH, Subject::Guest(Rom::Xen).name());
    }
}
