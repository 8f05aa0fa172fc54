//! The cost of the abstraction: what the compiler makes of a leaf operation, beside the same written by hand.
//!
//! Both are loops in one image, measured alike, so their difference is what going through the trait costs. It must be nothing.

use super::figures::named_numbers;
use serde::{Deserialize, Serialize};

/// One operation, both ways: its instructions and their bytes.
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
    /// Bytes as the compiler made it.
    pub compiled_bytes: f64,
    /// Bytes as it was written by hand.
    pub by_hand_bytes: f64,
}

impl Pair {
    /// What the compiled form costs more, in instructions and in bytes.
    pub fn difference(&self) -> [f64; 2] {
        [self.compiled - self.by_hand, self.compiled_bytes - self.by_hand_bytes]
    }
}

/// The pairs in the output of a kernel for `platform`: of each line `by-hand NAME MIN MEDIAN MAX COMPILED BYTES`, and that of the same
/// name which begins with `bench`.
pub fn read(platform: &str, transcript: &str) -> Vec<Pair> {
    let median = |word: &str, name: &str| {
        let mut lines = transcript.lines().filter_map(|line| named_numbers(line, word));
        lines
            .find(|line| line.0 == name)
            .map(|(_, [_, median, _]): (_, [f64; 3])| median)
    };
    let names = transcript.lines().filter_map(|line| named_numbers(line, "by-hand "));
    names
        .filter_map(|(name, [_, by_hand, _, compiled_bytes, by_hand_bytes])| {
            Some(Pair {
                platform: platform.to_owned(),
                operation: name.to_owned(),
                compiled: median("bench ", name)?,
                by_hand,
                compiled_bytes,
                by_hand_bytes,
            })
        })
        .collect()
}

/// A complaint about each pair that differs. One that is cheaper than the hand is one too: whoever wrote it by hand has missed something.
pub fn missed(pairs: &[Pair]) -> Vec<String> {
    let differing = pairs.iter().filter(|pair| pair.difference() != [0.0; 2]);
    differing
        .map(|pair| {
            let Pair {
                platform,
                operation,
                compiled,
                by_hand,
                compiled_bytes,
                by_hand_bytes,
            } = pair;
            format!(
                "{platform} {operation}: {compiled} instructions in {compiled_bytes} bytes compiled, {by_hand} in {by_hand_bytes} \
                 by hand; the bar is no difference"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "bench irq.disable 1 1 1\nby-hand irq.disable 1 1 1 1.000 1.000\n\
                          bench time.now 7 7 8\r\nby-hand time.now 6 6 6 25.5 25.000\r\n\
                          bench yield 1.0 2.0 3.0\nby-hand lost 1 1 1 1 1\n";

    #[test]
    fn both_lines_of_a_name_make_a_pair() {
        let pairs = read("native", OUTPUT);
        let found: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.operation.as_str(), pair.difference()))
            .collect();
        assert_eq!(found, [("irq.disable", [0.0, 0.0]), ("time.now", [1.0, 0.5])]);
    }

    #[test]
    fn any_difference_is_a_complaint() {
        assert_eq!(
            missed(&read("native", OUTPUT)),
            ["native time.now: 7 instructions in 25.5 bytes compiled, 6 in 25 by hand; the bar is no difference"]
        );
        for cheaper in ["by-hand a.b 2 2 2 5 5", "by-hand a.b 1 1 1 4 5"] {
            assert_eq!(
                missed(&read("native", &format!("bench a.b 1 1 1\n{cheaper}\n"))).len(),
                1
            );
        }
    }
}
