//! The chart in the book: what the kernel makes of the operations, each platform beside the others, and Linux where it was measured.
//!
//! Costs reach from two instructions to a million, so the scale is logarithmic: the same distance is the same factor everywhere.

use super::figures::Group;
use super::linux::LINUX;
use super::results::{Results, distinct};
use anyhow::{Context, Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fs;
use std::path::Path;

/// The chart, from the project's root.
const FILE: &str = "docs/bench.svg";
/// Width in pixels.
const WIDTH: u32 = 1000;
/// Height of a bar, and of the space between two operations.
const BAR: u32 = 9;
const GAP: u32 = 8;
/// Room for the title and the legend above, the names at the left, the scale below, the figures at the right.
const TOP: u32 = 64;
const LEFT: u32 = 150;
const BOTTOM: u32 = 34;
const RIGHT: u32 = 70;
/// Where the scale ends, in instructions; it begins with one.
const MOST: f64 = 2e6;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Drawing to a string fails only where the library has a bug.
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Whose bar it is.
struct Owner {
    name: &'static str,
    color: RGBColor,
}

/// In the order of their bars.
const OWNERS: [Owner; 5] = [
    owner("native", RGBColor(31, 119, 180)),
    owner("xen", RGBColor(214, 96, 32)),
    owner("vmi", RGBColor(60, 150, 80)),
    owner("Linux, native", RGBColor(168, 198, 222)),
    owner("Linux, xen", RGBColor(240, 196, 164)),
];

const fn owner(name: &'static str, color: RGBColor) -> Owner {
    Owner { name, color }
}

/// Writes the chart.
///
/// # Errors
/// The file cannot be written.
pub fn write(root: &Path, results: &Results) -> Result<()> {
    let file = root.join(FILE);
    fs::write(&file, draw(results)?).with_context(|| format!("cannot write {}", file.display()))
}

/// The chart as SVG.
fn draw(results: &Results) -> Result<String> {
    let groups = groups(results);
    let height = TOP + BOTTOM + groups.iter().map(Bars::height).sum::<u32>();
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    let drawn = fill(&area, &groups, height).map_err(|error| anyhow!("the chart cannot be drawn: {error}"));
    drop(area);
    drawn.map(|()| svg)
}

fn fill(area: &Area<'_>, groups: &[Bars<'_>], height: u32) -> Drawn {
    area.fill(&WHITE)?;
    legend(area)?;
    scale(area, height)?;
    let mut top = TOP;
    for bars in groups {
        bars.draw(area, top)?;
        top += bars.height();
    }
    area.present()
}

/// What it is, and whose bars have which color.
fn legend(area: &Area<'_>) -> Drawn {
    let title = "Instructions of one operation, the hypervisor's included (logarithmic scale)";
    write_text(area, title, (LEFT, 20), 15, HPos::Left)?;
    for (number, owner) in (0..).zip(&OWNERS) {
        let left = LEFT + number * 130;
        area.draw(&Rectangle::new(corners(left, 34, left + 14, 46), owner.color.filled()))?;
        write_text(area, owner.name, (left + 20, 40), 13, HPos::Left)?;
    }
    Ok(())
}

/// A line for each power of ten, with its name below.
fn scale(area: &Area<'_>, height: u32) -> Drawn {
    for power in 0..=6 {
        let x = position(10_f64.powi(power));
        area.draw(&PathElement::new(
            corners(x, TOP - 8, x, height - BOTTOM),
            RGBColor(215, 215, 215),
        ))?;
        let name = ["1", "10", "100", "1,000", "10,000", "100,000", "1,000,000"][power as usize];
        write_text(area, name, (x, height - BOTTOM + 12), 12, HPos::Center)?;
    }
    Ok(())
}

/// Where a bar for `cost` ends. What costs nothing has no bar.
fn position(cost: f64) -> u32 {
    let width = f64::from(WIDTH - LEFT - RIGHT);
    LEFT + (width * cost.max(1.0).log10() / MOST.log10()) as u32
}

/// Writes `text` so that its middle is as high as `at`, which is where it begins, ends, or has its middle.
fn write_text(area: &Area<'_>, text: &str, at: (u32, u32), size: u32, anchor: HPos) -> Drawn {
    let style = ("sans-serif", size).into_font().color(&RGBColor(40, 40, 40));
    let style = style.pos(Pos::new(anchor, VPos::Center));
    area.draw_text(text, &style, (at.0 as i32, at.1 as i32))
}

fn corners(left: u32, top: u32, right: u32, bottom: u32) -> [(i32, i32); 2] {
    [(left as i32, top as i32), (right as i32, bottom as i32)]
}

/// An operation, and how much it costs whom.
struct Bars<'a> {
    operation: &'a str,
    costs: Vec<(&'static Owner, f64)>,
}

impl Bars<'_> {
    fn height(&self) -> u32 {
        self.costs.len() as u32 * BAR + GAP
    }

    /// The name, and a bar for each with the figure behind it.
    fn draw(&self, area: &Area<'_>, top: u32) -> Drawn {
        let middle = top + self.costs.len() as u32 * BAR / 2;
        write_text(area, self.operation, (LEFT - 8, middle), 12, HPos::Right)?;
        for (number, (owner, cost)) in (0..).zip(&self.costs) {
            let (top, end) = (top + number * BAR, position(*cost));
            area.draw(&Rectangle::new(
                corners(LEFT, top, end, top + BAR - 1),
                owner.color.filled(),
            ))?;
            write_text(area, &cost.round().to_string(), (end + 4, top + BAR / 2), 9, HPos::Left)?;
        }
        Ok(())
    }
}

/// The composite operations that were measured, in their order.
fn groups(results: &Results) -> Vec<Bars<'_>> {
    let composite = results
        .figures
        .iter()
        .filter(|figure| figure.group() == Group::Composite);
    let bars = |operation| Bars {
        operation,
        costs: OWNERS
            .iter()
            .filter_map(|owner| Some((owner, cost(results, owner.name, operation)?)))
            .collect(),
    };
    distinct(composite.map(|figure| figure.operation.as_str()))
        .into_iter()
        .map(bars)
        .collect()
}

/// What an operation costs whoever is called `owner`.
fn cost(results: &Results, owner: &str, operation: &str) -> Option<f64> {
    let linux = || LINUX.iter().find(|linux| linux.operation == operation);
    match owner {
        "Linux, native" => Some(linux()?.native),
        "Linux, xen" => Some(linux()?.xen),
        platform => Some(results.figure(platform, operation)?.median),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::steady;
    use super::*;

    fn chart() -> String {
        let figures =
            [("native", 67.0), ("xen", 856.0), ("vmi", 67.0)].map(|(name, cost)| steady(name, "null-call", cost));
        let mut figures = figures.to_vec();
        figures.push(steady("native", "mutex", 10.0));
        figures.push(steady("native", "irq.enable", 1.0));
        draw(&Results {
            figures,
            ..Results::default()
        })
        .unwrap()
    }

    #[test]
    fn it_is_well_formed() {
        let mut open = Vec::new();
        let chart = chart();
        for tag in chart.split('<').skip(1) {
            let name = tag.split([' ', '>', '/', '\n']).next().unwrap();
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), closed.split('>').next(), "{chart}"),
                None if tag.contains("/>") || tag.starts_with(['?', '!']) => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty() && chart.contains("<svg"), "{open:?}");
    }

    #[test]
    fn composite_operations_and_all_owners_are_named_and_single_ones_are_not() {
        let chart = chart();
        for name in OWNERS
            .map(|owner| owner.name)
            .into_iter()
            .chain(["null-call", "mutex", "1101", "856"])
        {
            assert!(chart.contains(name), "{name}");
        }
        assert!(!chart.contains("irq.enable"));
    }

    #[test]
    fn a_factor_is_a_distance() {
        let step = |from, to| position(to) - position(from);
        assert!(step(10.0, 100.0).abs_diff(step(1000.0, 10_000.0)) <= 1);
        assert_eq!(position(0.0), LEFT);
    }
}
