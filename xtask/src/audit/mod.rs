//! `audit`: what the project claims of its images, proved on them.
//!
//! Anyone can say that an abstraction costs nothing. Here the bytes that are shipped are taken apart, for every platform and at every run
//! of CI: no call through a pointer where an operation is, no privileged instruction where there is no privilege, no page both
//! writable and executable, a stack that is deep enough. What a rule allows all the same is listed in a file with a reason, and an
//! entry of such a file that is needed no more is an error as well, so that the lists say what is so.
//!
//! Each [`Rule`] looks at an [`Image`] and says in a line what it has seen, and what is wrong.

mod allowance;
mod constant;
pub mod image;
mod indirect;
mod lines;
mod notes;
mod operations;
mod patched;
mod privilege;
mod reach;
mod red_zone;
mod rights;
mod size;
mod stack;
mod vectors;
pub mod violation;

use crate::build;
use crate::cli::Audit;
use crate::configuration::Configuration;
use crate::platform::Platform;
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use image::Image;
use std::fs;
use std::path::Path;
use std::time::Instant;
use violation::Violation;

/// What stands in a platform's place where the sources are looked at.
const SOURCES: &str = "sources";

/// The exit status when a rule is broken.
const BROKEN: u8 = 1;

/// What is audited.
#[derive(Debug)]
struct Subject<'a> {
    /// The platform that it is looked at for.
    platform: Platform,
    /// All that it is compiled for.
    platforms: &'a [Platform],
    /// The image, with names and places.
    image: Image,
    /// The file that machines load: the same without names and places.
    file: Vec<u8>,
    /// The project's root.
    root: &'a Path,
}

/// What a rule has seen.
#[derive(Debug, Default)]
struct Finding {
    /// In a phrase, what holds: `3 privileged instructions, all of them in the list`.
    summary: String,
    /// Lines for who wants to see it all.
    details: Vec<String>,
    /// What is wrong.
    violations: Vec<Violation>,
}

/// Something that must be true of each image.
struct Rule {
    /// In a word.
    name: &'static str,
    /// Looks whether it is.
    check: fn(&Subject<'_>) -> Result<Finding>,
}

/// All rules, in the order in which they are reported.
const RULES: &[Rule] = &[
    operations::RULE,
    indirect::RULE,
    privilege::RULE,
    rights::RULE,
    red_zone::RULE,
    vectors::RULE,
    stack::RULE,
    notes::RULE,
];

/// Audits the images asked for, and returns the exit status.
///
/// # Errors
/// An image cannot be built or read, or a list of what is allowed is malformed.
pub fn run(workshop: &Workshop, asked: &Audit) -> Result<u8> {
    let root = &workshop.paths.root;
    let mut broken = report(SOURCES, "lines", &lines::check(root)?, asked);
    let mut sizes = Vec::new();
    for configuration in Configuration::chosen(&asked.features)? {
        let built = build::kernel(workshop, &configuration, true)?;
        let Configuration::Single(platform) = configuration else {
            broken |= patched::audit_everywhere(workshop, asked, &configuration, &built)?;
            continue;
        };
        let start = Instant::now();
        let subject = Subject {
            platform,
            platforms: configuration.platforms(),
            image: Image::open(&built.full, root)?,
            file: fs::read(&built.stripped)?,
            root,
        };
        if asked.save {
            operations::save(&subject)?;
        }
        broken |= audit(platform.name(), &subject, RULES, asked)?;
        sizes.extend(size::of(&subject));
        eprintln!("audit: {platform} took {:.1} s", start.elapsed().as_secs_f32());
    }
    if !sizes.is_empty() {
        if asked.save {
            operations::write_page(root)?;
        }
        size::finish(root, asked, &sizes)?;
    }
    Ok(if broken { BROKEN } else { 0 })
}

/// Applies `rules` to an image, which is called `name`, and prints what they say; whether one is broken.
fn audit(name: &str, subject: &Subject<'_>, rules: &[Rule], asked: &Audit) -> Result<bool> {
    let mut broken = false;
    for rule in rules {
        let finding = (rule.check)(subject).with_context(|| format!("rule {} of {name}", rule.name))?;
        broken |= report(name, rule.name, &finding, asked);
    }
    Ok(broken)
}

/// Prints what a rule says; whether it is broken.
fn report(subject: &str, rule: &str, finding: &Finding, asked: &Audit) -> bool {
    let broken = !finding.violations.is_empty();
    match finding.violations.len() {
        0 => println!("{subject:8} {rule:12} ok      {}", finding.summary),
        count => println!("{subject:8} {rule:12} BROKEN  {count} violations"),
    }
    for line in finding.details.iter().filter(|_| asked.verbose) {
        println!("    {line}");
    }
    for violation in &finding.violations {
        println!("    {violation}");
    }
    broken
}
