//! Privilege in an image of several platforms, as it is on one of them.
//!
//! The code of the others is there as well and needs other privileges, but is out of reach. So what counts is what can be executed from
//! the entries of the platform that the image was booted on.

use super::super::allowance::Allowances;
use super::super::image::{Function, Image};
use super::super::reach::Reach;
use super::super::{Finding, Rule, Subject};
use super::{LIST, judge};
use crate::build::notes::entries::{START, START_UNDER_XEN};
use crate::platform::Platform;
use crate::sites::table;
use anyhow::{Context, Result};
use iced_x86::Instruction;

/// The rule.
pub const RULE: Rule = Rule {
    name: super::RULE.name,
    check,
};

/// The list of what is allowed besides.
const BESIDES: &str = "xtask/src/audit/privilege/reached.toml";

fn check(subject: &Subject<'_>) -> Result<Finding> {
    let (platform, image) = (subject.platform, &subject.image);
    let allowed = Allowances::parse(RULE.name, LIST, include_str!("../privilege.toml"), &[platform])?;
    let besides = Allowances::parse(RULE.name, BESIDES, include_str!("reached.toml"), &[platform])?;
    let reach = Reach::of(image, &entries(subject)?);
    let counts = |function: &Function, instruction: &Instruction| {
        reach.contains(instruction.ip()) && !besides.allows(image, function, instruction)
    };
    let mut finding = judge(platform, image, &counts, &table::read(image)?, &allowed);
    let needed = besides.used().map(|(times, reason)| format!("{times:5} {reason}"));
    finding.details.extend(needed);
    if subject.platforms == Platform::ALL {
        finding.violations.extend(besides.superfluous());
    }
    finding.summary = format!("{}, in {} that can be reached", finding.summary, reach.len());
    Ok(finding)
}

/// Where the image is entered on the subject's platform, in 64-bit mode.
fn entries(subject: &Subject<'_>) -> Result<Vec<u64>> {
    let image = &subject.image;
    let is_for_bare = subject.platforms.iter().any(|platform| platform.is_bare());
    match subject.platform {
        Platform::Native | Platform::Vmi => {
            let starts = BARE_ENTRIES.iter().map(|name| start(image, name));
            let mut entries = starts.collect::<Result<Vec<_>>>()?;
            let stubs = image.instructions(function(image, STUBS)?);
            entries.extend(stubs.iter().map(Instruction::ip));
            Ok(entries)
        }
        Platform::Xen if is_for_bare => Ok(vec![start(image, START_UNDER_XEN)?]),
        Platform::Xen => Ok(vec![start(image, START)?]),
    }
}

/// Where a bare machine enters an image in 64-bit mode: by the `bootloader` crate, and behind the 16-bit and 32-bit code for PVH and
/// for further CPUs. That for PVH jumps to its own virtual address by a distance that only its physical one makes right, so what it calls
/// there is an entry for whoever reads the image.
const BARE_ENTRIES: &[&str] = &[
    START,
    "subarch_native::boot::pvh::stub::long_mode",
    "subarch_native::boot::pvh::main",
    "subarch_native::smp::trampoline::long_mode",
];

/// The stubs of a bare machine's vectors: the address of each is computed from that of the first.
const STUBS: &str = "anyring::trap_stubs";

fn start(image: &Image, name: &str) -> Result<u64> {
    Ok(function(image, name)?.range.start)
}

fn function<'i>(image: &'i Image, name: &str) -> Result<&'i Function> {
    let found = image.functions.iter().find(|function| function.name == name);
    found.with_context(|| format!("the image has no function {name}"))
}
