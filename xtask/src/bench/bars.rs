//! The bars: what some operations may cost at the most.
//!
//! They say what the project's claim means in numbers. Each has its reason: masking is one instruction, and unmasking under Xen
//! must look whether something waits; a call under Xen cannot be cheaper than Xen's own part of it, 803 instructions, and
//! may be a tenth more; the others are well below what Linux needs on the same machine. Patching,
//! which is done once, may take a millisecond of a machine that does an instruction in a nanosecond.

use super::figures::{Figure, PATCHING};

/// The most that an operation may cost.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    operation: &'static str,
    platform: &'static str,
    /// In instructions.
    pub limit: f64,
}

/// The bars of an operation on native and on xen.
const fn bars(operation: &'static str, native: f64, xen: f64) -> [Bar; 2] {
    [
        Bar {
            operation,
            platform: "native",
            limit: native,
        },
        Bar {
            operation,
            platform: "xen",
            limit: xen,
        },
    ]
}

const BARS: [&[Bar]; 6] = [
    &bars("mask-unmask", 2.0, 4.0),
    &bars("null-call", 110.0, 883.0),
    &bars("switch-threads", 90.0, 150.0),
    &bars("switch-processes", 150.0, 1300.0),
    &bars("fault-anonymous", 1300.0, 3300.0),
    &[Bar {
        operation: PATCHING,
        platform: "paravirt-xen",
        limit: 1_000_000.0,
    }],
];

/// The bar for an operation on a platform, if there is one.
pub fn bar(platform: &str, operation: &str) -> Option<Bar> {
    let mut all = BARS.into_iter().flatten().copied();
    all.find(|bar| bar.platform == platform && bar.operation == operation)
}

/// A complaint about each figure above its bar, and about each bar that nothing was measured for.
pub fn missed(figures: &[Figure]) -> Vec<String> {
    let above = figures.iter().filter_map(|figure| {
        let limit = bar(&figure.platform, &figure.operation)?.limit;
        (figure.median > limit).then(|| {
            format!(
                "{} {}: {} instructions, and the bar is {limit}",
                figure.platform, figure.operation, figure.median
            )
        })
    });
    let without = BARS.into_iter().flatten().copied().filter(|bar| {
        let here = |figure: &&Figure| figure.platform == bar.platform;
        let measured = figures
            .iter()
            .filter(here)
            .any(|figure| figure.operation == bar.operation);
        figures.iter().any(|figure| here(&figure)) && !measured
    });
    let without = without.map(|bar| format!("{} {}: there is a bar, but no figure", bar.platform, bar.operation));
    above.chain(without).collect()
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::steady;
    use super::*;

    fn all_met() -> Vec<Figure> {
        let bars = BARS.into_iter().flatten().copied();
        bars.map(|bar| steady(bar.platform, bar.operation, bar.limit)).collect()
    }

    #[test]
    fn a_figure_at_its_bar_meets_it() {
        assert_eq!(missed(&all_met()), Vec::<String>::new());
        assert_eq!(
            missed(&[]),
            Vec::<String>::new(),
            "no platform was measured, so no bar was missed"
        );
    }

    #[test]
    fn a_figure_above_its_bar_is_named() {
        let mut figures = all_met();
        figures[0].median += 0.1;
        assert_eq!(
            missed(&figures),
            ["native mask-unmask: 2.1 instructions, and the bar is 2"]
        );
    }

    #[test]
    fn a_bar_without_a_figure_is_missed() {
        let figures: Vec<_> = all_met()
            .into_iter()
            .filter(|figure| figure.operation != "null-call" || figure.platform != "xen")
            .collect();
        assert_eq!(missed(&figures), ["xen null-call: there is a bar, but no figure"]);
    }
}
