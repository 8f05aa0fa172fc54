//! What a change costs: the sizes that differ.

use super::Size;
use super::table::total;
use std::collections::BTreeSet;

/// A line for each crate whose size on a platform differs from `before`, those that differ most first, and the totals of
/// the platforms that are in both.
pub fn since(before: &[Size], now: &[Size]) -> Vec<String> {
    let measured = |size: &&Size| now.iter().any(|new| new.platform == size.platform);
    let accounts: BTreeSet<(&str, &str)> = before
        .iter()
        .filter(measured)
        .chain(now)
        .map(|size| (size.platform.as_str(), size.owner.as_str()))
        .collect();
    let mut changes: Vec<Change> = accounts
        .into_iter()
        .map(|(platform, owner)| {
            let same = |size: &Size| size.platform == platform && size.owner == owner;
            Change::new(platform, owner, total(before, same), total(now, same))
        })
        .filter(|change| change.before != change.now)
        .collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.now.abs_diff(change.before)));
    let totals: BTreeSet<&str> = now.iter().map(|size| size.platform.as_str()).collect();
    changes.extend(totals.into_iter().map(|platform| {
        let same = |size: &Size| size.platform == platform;
        Change::new(platform, "total", total(before, same), total(now, same))
    }));
    changes.iter().map(Change::line).collect()
}

/// The bytes of one account, before and now.
struct Change<'a> {
    platform: &'a str,
    owner: &'a str,
    before: u64,
    now: u64,
}

impl<'a> Change<'a> {
    fn new(platform: &'a str, owner: &'a str, before: u64, now: u64) -> Self {
        Self {
            platform,
            owner,
            before,
            now,
        }
    }

    fn line(&self) -> String {
        let Self {
            platform,
            owner,
            before,
            now,
        } = self;
        let change = now.cast_signed() - before.cast_signed();
        format!("{platform:8} {owner:24} {before:>8} -> {now:>8} {change:>+8} bytes of code")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::size;
    use super::*;

    #[test]
    fn only_differences_are_shown_the_greatest_first() {
        let before = [
            size("native", "core", 50),
            size("native", "gone", 8),
            size("native", "same", 3),
            size("xen", "core", 9),
        ];
        let now = [
            size("native", "core", 51),
            size("native", "same", 3),
            size("native", "new", 4),
        ];
        let words: Vec<String> = since(&before, &now)
            .iter()
            .map(|line| line.split_whitespace().take(6).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            words,
            [
                "native gone 8 -> 0 -8",
                "native new 0 -> 4 +4",
                "native core 50 -> 51 +1",
                "native total 61 -> 58 -3",
            ]
        );
    }
}
