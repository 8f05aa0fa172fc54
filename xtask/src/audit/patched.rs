//! An image for several platforms: its code as it is where it was booted.
//!
//! What the file holds is not what is executed: under Xen its sites are changed, and by a ROM. So the image is booted on each of its
//! platforms, and once with each ROM; its code is read from the memory of the machine and put in the place of the file's. A jump may be shorter
//! than the instruction whose place it took; what is left of that is passed over, as the processor does. Then the rules hold of it as of any
//! other image, with references of its own for its operations. But what a ROM has put there is the ROM's: neither its operations nor its
//! use of the stack is looked at.

use super::image::Image;
use super::{Rule, Subject, audit, indirect, notes, operations, privilege, red_zone, rights, stack, vectors};
use crate::build::Built;
use crate::cli::Audit;
use crate::configuration::Configuration;
use crate::platform::Platform;
use crate::sites;
use crate::workshop::Workshop;
use anyhow::Result;
use std::fs;
use std::time::Instant;

/// The rules for code that was patched.
const RULES: &[Rule] = &[
    indirect::RULE,
    privilege::reached::RULE,
    rights::RULE,
    red_zone::RULE,
    vectors::RULE,
    notes::RULE,
];

/// Boots `built` wherever it can be, and audits what its code is there; whether a rule is broken.
///
/// # Errors
/// It cannot be booted or read, or a list of what is allowed is malformed.
pub fn audit_everywhere(
    workshop: &Workshop,
    asked: &Audit,
    configuration: &Configuration,
    built: &Built,
) -> Result<bool> {
    let root = &workshop.paths.root;
    let image = Image::open(&built.full, root)?;
    let mut broken = false;
    for platform in configuration.platforms() {
        for (setup, memory) in sites::boot(workshop, configuration, built, &image, *platform)? {
            let start = Instant::now();
            let mut image = Image::open(&built.full, root)?;
            let remains = sites::remains(&image, built)?;
            image.replace_code(|range| memory.bytes(range))?;
            if *platform == Platform::Xen {
                image.pass_over(&remains);
            }
            let subject = Subject {
                platform: *platform,
                platforms: configuration.platforms(),
                image,
                file: fs::read(&built.stripped)?,
                root,
            };
            let name = setup.to_string();
            if is_reviewed(&subject) {
                if asked.save {
                    operations::save(&subject)?;
                }
                broken |= audit(&name, &subject, &[operations::RULE], asked)?;
            }
            if subject.platform != Platform::Vmi {
                broken |= audit(&name, &subject, &[stack::RULE], asked)?;
            }
            broken |= audit(&name, &subject, RULES, asked)?;
            eprintln!("audit: {setup} took {:.1} s", start.elapsed().as_secs_f32());
        }
    }
    Ok(broken)
}

/// Whether there are references for its operations. There are for the image of all platforms: as it is on a bare machine without a ROM, and
/// as it is under Xen. What a ROM puts into operations is the ROM's.
fn is_reviewed(subject: &Subject<'_>) -> bool {
    subject.platforms == Platform::ALL && subject.platform != Platform::Vmi
}
