//! Figures, as the kernel and its programs print them.

use super::calls::{self, Calls, Counted};
use serde::{Deserialize, Serialize};

/// What one operation costs in one image where it was measured, in instructions: in the cheapest batch, the middle one and the dearest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The platform's name; for the image of the parent [`Subject::name`](super::subject::Subject::name).
    pub platform: String,
    /// The operation's name.
    pub operation: String,
    /// The least.
    pub min: f64,
    /// The figure that counts.
    pub median: f64,
    /// The most.
    pub max: f64,
    /// How often it goes below the kernel, by kind.
    #[serde(default, skip_serializing_if = "Calls::is_empty")]
    pub calls: Calls,
    /// How often the processor leaves it for a hypervisor, by the reasons, where it is a guest with hardware assistance.
    #[serde(default, skip_serializing_if = "Calls::is_empty")]
    pub exits: Calls,
}

/// What a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// One operation of the border.
    Operations,
    /// What the kernel makes of them.
    Composite,
}

impl Figure {
    /// An operation of the border has a name with a dot: its group's, and its own.
    pub fn group(&self) -> Group {
        if self.operation.contains('.') {
            Group::Operations
        } else {
            Group::Composite
        }
    }
}

/// The name of what is done once, when an image of several platforms finds itself under Xen.
pub const PATCHING: &str = "patching";

/// What is not measured but follows: an operation's name, and the two whose difference it is.
///
/// Programs that let each other run pay for a call and for the switch.
const DIFFERENCES: [(&str, &str, &str); 1] = [("switch-processes", "yield", "null-call")];

/// The figures in the output of a kernel, as those of `platform`, and those that follow from them. What went below was
/// `counted` with its twin, if there is one.
pub fn read(platform: &str, transcript: &str, counted: &Counted) -> Vec<Figure> {
    let mut figures: Vec<Figure> = transcript.lines().filter_map(|line| figure(platform, line)).collect();
    figures.extend(patching(platform, transcript));
    counted.join(&mut figures);
    for (operation, whole, part) in DIFFERENCES {
        let find = |name| figures.iter().find(|figure: &&Figure| figure.operation == name);
        if let (Some(whole), Some(part)) = (find(whole), find(part)) {
            let figure = Figure {
                platform: platform.to_owned(),
                operation: operation.to_owned(),
                min: tenths(whole.min - part.max),
                median: tenths(whole.median - part.median),
                max: tenths(whole.max - part.min),
                calls: calls::difference(&whole.calls, &part.calls),
                exits: calls::difference(&whole.exits, &part.exits),
            };
            figures.push(figure);
        }
    }
    figures
}

/// The figure in a line `bench NAME MIN MEDIAN MAX`.
fn figure(platform: &str, line: &str) -> Option<Figure> {
    let (operation, [min, median, max]) = named_numbers(line, "bench ")?;
    Some(Figure {
        platform: platform.to_owned(),
        operation: operation.to_owned(),
        min,
        median,
        max,
        calls: Calls::new(),
        exits: Calls::new(),
    })
}

/// What it took to make an image of several platforms Xen's, as it says itself when it boots.
fn patching(platform: &str, transcript: &str) -> Option<Figure> {
    let (_, rest) = transcript.split_once(" sites patched in ")?;
    let cycles = rest.split(' ').next()?.parse().ok()?;
    Some(Figure {
        platform: platform.to_owned(),
        operation: PATCHING.to_owned(),
        min: cycles,
        median: cycles,
        max: cycles,
        calls: Calls::new(),
        exits: Calls::new(),
    })
}

/// The name and the numbers in a line that begins with `word` and has no more than these.
pub fn named_numbers<'a, const N: usize>(line: &'a str, word: &str) -> Option<(&'a str, [f64; N])> {
    let mut words = line.trim_end().strip_prefix(word)?.split(' ');
    let name = words.next()?;
    let mut numbers = [0.0; N];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    words.next().is_none().then_some((name, numbers))
}

/// `value` to a tenth: no more was measured.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A figure whose batches were all the same.
    pub fn steady(platform: &str, operation: &str, value: f64) -> Figure {
        Figure {
            platform: platform.to_owned(),
            operation: operation.to_owned(),
            min: value,
            median: value,
            max: value,
            calls: Calls::new(),
            exits: Calls::new(),
        }
    }

    /// The same, which goes below as `calls` say.
    pub fn calling(platform: &str, operation: &str, value: f64, calls: &[(&str, f64)]) -> Figure {
        Figure {
            calls: calls.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
            ..steady(platform, operation, value)
        }
    }

    /// The same, for which the processor leaves as `exits` say.
    pub fn leaving(platform: &str, operation: &str, value: f64, exits: &[(&str, f64)]) -> Figure {
        let Figure { calls, .. } = calling(platform, operation, value, exits);
        Figure {
            exits: calls,
            ..steady(platform, operation, value)
        }
    }

    #[test]
    fn lines_of_kernel_and_programs_are_read() {
        let output =
            "boot\r\nbench time.now 8 9 10\r\nbench null-call 102.0 103.5 104.0\nbench: clock\nbench a b c d\n";
        let figures = read("native", output, &Counted::default());
        assert_eq!(figures.len(), 2);
        let [now, call] = &figures[..] else { panic!() };
        assert_eq!((now.operation.as_str(), now.min, now.max), ("time.now", 8.0, 10.0));
        assert_eq!((call.operation.as_str(), call.median), ("null-call", 103.5));
        assert_eq!([now.group(), call.group()], [Group::Operations, Group::Composite]);
    }

    #[test]
    fn patching_is_what_the_kernel_says_it_was() {
        let output =
            "Anyring 0.1.0 on paravirt: Xen 4.17 PV dom0, 1806 sites patched in 700123 cycles, entered by Xen PV\n";
        assert_eq!(
            read("paravirt-xen", output, &Counted::default()),
            [steady("paravirt-xen", PATCHING, 700_123.0)]
        );
    }

    #[test]
    fn a_line_with_more_or_less_is_no_figure() {
        let output = "bench x 1 2\nbench x 1 2 3 4\nby-hand x 1 2 3\n";
        assert_eq!(read("xen", output, &Counted::default()), []);
    }

    #[test]
    fn a_switch_is_what_a_yield_costs_beside_the_call() {
        let figures = read(
            "xen",
            "bench null-call 100.0 100.0 101.0\nbench yield 250.1 250.3 251.0\n",
            &Counted::of_calls("calls null-call iret=1.00\ncalls yield iret=1.00 mmuext_op=1.00\n"),
        );
        let switch = figures.last().unwrap();
        assert_eq!((switch.operation.as_str(), switch.median), ("switch-processes", 150.3));
        assert_eq!((switch.min, switch.max), (149.1, 151.0));
        assert_eq!(switch.calls, Calls::from([("mmuext_op".to_owned(), 1.0)]));
    }
}
