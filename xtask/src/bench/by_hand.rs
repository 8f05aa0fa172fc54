//! The cost of the abstraction: what the compiler makes of a leaf operation, beside the same written by hand.
//!
//! Both are loops in one image, measured alike, so their difference is what going through the trait costs. It must be nothing.

use super::figures::named_numbers;
use serde::{Deserialize, Serialize};

/// One operation, both ways, in instructions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The platform's name.
    pub platform: String,
    /// The operation's name.
    pub operation: String,
    /// As the compiler made it.
    pub compiled: f64,
    /// As it was written by hand.
    pub by_hand: f64,
}

impl Pair {
    /// What the compiled form costs more.
    pub fn difference(&self) -> f64 {
        self.compiled - self.by_hand
    }
}

/// The pairs in the output of a kernel for `platform`: of each line `by-hand NAME MIN MEDIAN MAX`, and that of the same name which begins with
/// `bench`.
pub fn read(platform: &str, transcript: &str) -> Vec<Pair> {
    let median = |word: &str, name: &str| {
        let mut lines = transcript.lines().filter_map(|line| named_numbers(line, word));
        lines.find(|line| line.0 == name).map(|(_, [_, median, _])| median)
    };
    let names = transcript.lines().filter_map(|line| named_numbers(line, "by-hand "));
    names
        .filter_map(|(name, [_, by_hand, _])| {
            Some(Pair {
                platform: platform.to_owned(),
                operation: name.to_owned(),
                compiled: median("bench ", name)?,
                by_hand,
            })
        })
        .collect()
}

/// A complaint about each pair that differs. One that is cheaper than the hand is one too: whoever wrote it by hand has missed something.
pub fn missed(pairs: &[Pair]) -> Vec<String> {
    let differing = pairs.iter().filter(|pair| pair.difference() != 0.0);
    differing
        .map(|pair| {
            format!(
                "{} {}: {} instructions compiled, {} by hand; the bar is no difference",
                pair.platform, pair.operation, pair.compiled, pair.by_hand
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "bench irq.disable 1 1 1\nby-hand irq.disable 1 1 1\nbench time.now 7 7 8\r\nby-hand time.now 6 6 6\r\n\
                          bench yield 1.0 2.0 3.0\nby-hand lost 1 1 1\n";

    #[test]
    fn both_lines_of_a_name_make_a_pair() {
        let pairs = read("native", OUTPUT);
        let found: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.operation.as_str(), pair.difference()))
            .collect();
        assert_eq!(found, [("irq.disable", 0.0), ("time.now", 1.0)]);
    }

    #[test]
    fn any_difference_is_a_complaint() {
        assert_eq!(
            missed(&read("native", OUTPUT)),
            ["native time.now: 7 instructions compiled, 6 by hand; the bar is no difference"]
        );
        assert_eq!(missed(&read("native", "bench a.b 1 1 1\nby-hand a.b 2 2 2\n")).len(), 1);
    }
}
