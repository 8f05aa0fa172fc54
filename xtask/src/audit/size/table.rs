//! The table crate × platform.

use super::Size;
use std::collections::BTreeSet;

/// The table as lines: the largest crate first, the total last.
pub fn lines(sizes: &[Size]) -> Vec<String> {
    let platforms = in_order(sizes);
    let mut crates: Vec<&str> = sizes
        .iter()
        .map(|size| size.owner.as_str())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    crates.sort_by_key(|owner| std::cmp::Reverse(total(sizes, |size| size.owner == *owner)));
    let mut lines = vec![row("bytes of code", platforms.iter().map(ToString::to_string))];
    lines.extend(crates.iter().map(|owner| {
        let cells = platforms.iter().map(|platform| cell(sizes, owner, platform));
        row(owner, cells)
    }));
    let totals = platforms
        .iter()
        .map(|platform| total(sizes, |size| size.platform == *platform).to_string());
    lines.push(row("total", totals));
    lines
}

/// The platforms in the order in which they were measured.
fn in_order(sizes: &[Size]) -> Vec<&str> {
    let mut platforms: Vec<&str> = sizes.iter().map(|size| size.platform.as_str()).collect();
    platforms.dedup();
    platforms
}

/// The sum of those sizes that are `wanted`.
pub fn total(sizes: &[Size], wanted: impl Fn(&Size) -> bool) -> u64 {
    sizes.iter().filter(|size| wanted(size)).map(|size| size.text).sum()
}

/// The bytes of a crate on a platform; a dash for none.
fn cell(sizes: &[Size], owner: &str, platform: &str) -> String {
    match total(sizes, |size| size.owner == owner && size.platform == platform) {
        0 => "-".to_owned(),
        text => text.to_string(),
    }
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    cells.fold(format!("{name:24}"), |row, cell| format!("{row} {cell:>10}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::size;
    use super::*;

    #[test]
    fn the_largest_is_first_and_the_total_last() {
        let sizes = [
            size("native", "core", 5),
            size("native", "kernel_core", 70),
            size("xen", "core", 6),
            size("xen", "subarch_xen", 20),
        ];
        let words: Vec<Vec<String>> = lines(&sizes)
            .iter()
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect();
        assert_eq!(
            words,
            [
                vec!["bytes", "of", "code", "native", "xen"],
                vec!["kernel_core", "70", "-"],
                vec!["subarch_xen", "-", "20"],
                vec!["core", "5", "6"],
                vec!["total", "75", "26"],
            ]
        );
    }
}
