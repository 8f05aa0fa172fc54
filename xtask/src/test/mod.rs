//! `test`: everything that can be known about the kernel, in one closing line.
//!
//! Four kinds of evidence are counted together. Pure logic is tested on the host by cargo. That a wrong choice of
//! platform is refused, with a message that helps, is tested by making wrong choices. That the user programs expect what Linux
//! does is tested by running them on Linux. All else is tested where it is
//! used: one list of tests, compiled into the kernel, runs on every platform in every way to boot it, under the real
//! hypervisor and with real ROMs, and every platform must also *report* what is broken on purpose, by itself or from outside. Of ROMs it is tested besides that they are
//! small, and that a new one boots as it is made. A column
//! of the table that differs from its neighbours is a platform that does not keep the border's promise.

mod answers;
mod breakage;
mod broken_tables;
mod case;
mod guest;
mod host;
mod insistence;
mod lines;
mod plan;
mod programs;
mod report;
mod roms;
mod table;
mod tampering;
mod wrong_builds;

use crate::build;
use crate::cli::Test;
use crate::configuration::Configuration;
use crate::failure::explain;
use crate::platform::Platform;
use crate::workshop::Workshop;
use anyhow::Result;
use case::{Case, Column, Tally, Verdict};
use plan::Plan;

/// The status of a test run in which something failed.
const FAILED: u8 = 1;

/// Runs all tests of the images asked for; the status is 0 only if none failed.
///
/// # Errors
/// The host's tests cannot even be started. What goes wrong later is counted as a failure, and the rest still runs.
pub fn run(workshop: &Workshop, asked: &Test) -> Result<u8> {
    let configurations = Configuration::chosen(&asked.features)?;
    let mut tally = host::run(workshop)?;
    tally.add(&host::run_models(workshop)?);
    tally.add(&show("wrong builds", &[wrong_builds::run(workshop)?]));
    tally.add(&count("user programs", &[programs::run(workshop)]));
    if configurations
        .iter()
        .any(|one| one.platforms().contains(&Platform::Vmi))
    {
        tally.add(&count("ROM sizes", &[roms::sizes(workshop)]));
    }
    for plan in configurations.into_iter().flat_map(Plan::all) {
        tally.add(&show(
            &plan.configuration.name(),
            &columns(workshop, &plan, asked.release),
        ));
    }
    println!("\n{tally}");
    Ok(if tally.failed == 0 { 0 } else { FAILED })
}

/// All runs of one image; those on the same machine share a column.
fn columns(workshop: &Workshop, plan: &Plan, release: bool) -> Vec<Column> {
    let built = build::kernel(workshop, &plan.configuration, release)
        .and_then(|kernel| Ok((kernel, crate::programs::build(workshop)?)));
    let (built, module) = match built {
        Ok(built) => built,
        Err(why) => return vec![Column::failed("build", explain(&why))],
    };
    let mut runs = plan.runs(release, &module);
    let refusals = plan.refusals(release, &built).map(|refusals| runs.extend(refusals));
    let mut columns = Vec::new();
    for planned in runs {
        case::merge(&mut columns, guest::run(workshop, &planned, &built));
    }
    if plan.is_about_roms() {
        let evidence: Vec<_> = columns.iter().flat_map(|column| column.evidence.clone()).collect();
        columns.extend(answers::judge(&workshop.paths.root, &evidence));
        columns.push(roms::new(workshop, plan, release, &built, &module));
    }
    columns.extend(refusals.err().map(|why| Column::failed("changed", explain(&why))));
    columns
}

/// Prints a table, then what failed and what was skipped, and counts.
fn show(title: &str, columns: &[Column]) -> Tally {
    println!("\n{}", table::render(title, columns));
    explain_all(title, columns);
    tally(columns)
}

/// Prints what failed and what was skipped, and the counts instead of a table.
fn count(title: &str, columns: &[Column]) -> Tally {
    explain_all(title, columns);
    let tally = tally(columns);
    println!("{title}: {tally}");
    tally
}

fn tally(columns: &[Column]) -> Tally {
    Tally::of(columns.iter().flat_map(|column| &column.cases))
}

/// Prints what failed and what was skipped.
fn explain_all(title: &str, columns: &[Column]) {
    for column in columns {
        column
            .cases
            .iter()
            .for_each(|case| explain_case(title, &column.label, case));
        if !column.transcript.is_empty() {
            println!(
                "---- output of {title} {}\n{}\n----",
                column.label,
                column.transcript.trim_end()
            );
        }
    }
}

/// Prints why a test failed or was skipped.
fn explain_case(title: &str, label: &str, case: &Case) {
    match &case.verdict {
        Verdict::Passed => {}
        Verdict::Failed(why) => println!("FAILED {title} {label}: {}: {why}", case.name),
        Verdict::Skipped(why) => println!("skipped {title} {label}: {}: {why}", case.name),
    }
}
