//! What became dearer.

use super::figures::Figure;

/// By how much a figure may grow and still be the same: compilers differ in small things.
const TOLERANCE: f64 = 1.02;

/// A complaint about each operation that costs over 2 % more than `before`, and about each that is measured no more.
///
/// Platforms that were not measured now are left out.
pub fn losses(before: &[Figure], now: &[Figure]) -> Vec<String> {
    before.iter().filter_map(|old| loss(old, now)).collect()
}

fn loss(old: &Figure, now: &[Figure]) -> Option<String> {
    let mut same_platform = now.iter().filter(|new| new.platform == old.platform).peekable();
    same_platform.peek()?;
    let name = format!("{} {}", old.platform, old.operation);
    let Some(new) = same_platform.find(|new| new.operation == old.operation) else {
        return Some(format!("{name}: measured before, and not now"));
    };
    (new.median > old.median * TOLERANCE)
        .then(|| format!("{name}: {} instructions instead of {}", new.median, old.median))
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::steady;
    use super::*;

    #[test]
    fn two_in_a_hundred_are_tolerated() {
        let before = [steady("native", "clock", 100.0)];
        assert_eq!(
            losses(&before, &[steady("native", "clock", 102.0)]),
            Vec::<String>::new()
        );
        assert_eq!(
            losses(&before, &[steady("native", "clock", 102.1)]),
            ["native clock: 102.1 instructions instead of 100"]
        );
    }

    #[test]
    fn what_is_measured_no_more_is_a_loss() {
        let before = [steady("native", "clock", 9.0), steady("xen", "clock", 40.0)];
        let now = [steady("native", "mutex", 10.0)];
        assert_eq!(losses(&before, &now), ["native clock: measured before, and not now"]);
    }
}
