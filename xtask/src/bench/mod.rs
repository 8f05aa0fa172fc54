//! `bench`: what each operation costs on each platform, in instructions.
//!
//! Under QEMU's `-icount shift=0` one instruction takes one nanosecond of the machine's time, the hypervisor's included, so the
//! kernel's own cycle counter counts instructions, and a figure is the same on any host. That makes figures something to
//! commit and to compare: with the bars that the project has set itself, with what they were before, and those of the one image for all
//! platforms with those of an image for one.

mod bars;
mod by_hand;
mod calls;
mod chart;
mod compare;
mod conditions;
mod exits;
mod figures;
mod gain;
mod linux;
mod measure;
mod page;
mod patchable;
mod results;
mod store;
mod subject;
mod table;

use crate::cli::Bench;
use crate::failure::Failure;
use crate::workshop::Workshop;
use anyhow::{Result, ensure};
use compare::compare;
use results::Results;

/// The exit status when a bar is missed, or something became dearer.
const MISSED: u8 = 1;

/// Measures and shows; returns the exit status.
///
/// # Errors
/// A kernel could not be built, did not end well, or a file cannot be read or written.
pub fn run(workshop: &Workshop, asked: &Bench) -> Result<u8> {
    ensure!(
        !asked.save || asked.features.is_empty(),
        Failure::Usage.error("figures are saved of all images together: leave `--features` out")
    );
    let before = asked.compare.as_deref().map(store::read).transpose()?;
    let mut results = Results::default();
    for configuration in subject::configurations(&asked.features)? {
        measure::measure(workshop, &configuration, &mut results)?;
    }
    if asked.json {
        print!("{}", store::text(&results)?);
    } else {
        print!("{}", table::render(&results));
    }
    if asked.save {
        save(workshop, &results)?;
    }
    Ok(judge(before.as_ref(), &results))
}

/// Writes the figures, the tables and the chart into the book.
fn save(workshop: &Workshop, results: &Results) -> Result<()> {
    let root = &workshop.paths.root;
    store::write(root, results)?;
    page::write(root, results)?;
    chart::write(root, results)
}

/// Says what misses a bar, and what has changed since `before`; returns the exit status.
fn judge(before: Option<&Results>, results: &Results) -> u8 {
    let mut complaints = bars::missed(&results.figures);
    complaints.extend(patchable::missed(&results.figures));
    complaints.extend(gain::missed(&results.figures));
    complaints.extend(by_hand::missed(&results.by_hand));
    if let Some(before) = before {
        let verdict = compare(before, results);
        verdict.remarks.iter().for_each(|remark| eprintln!("{remark}"));
        let gains = verdict.gains.iter();
        gains.for_each(|gain| eprintln!("better: {gain}; commit it with `cargo xtask bench --save`"));
        complaints.extend(verdict.losses);
    }
    complaints.iter().for_each(|complaint| eprintln!("missed: {complaint}"));
    if complaints.is_empty() { 0 } else { MISSED }
}
