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
            let mut entries = vec![start(image, START)?];
            for stub in STUBS {
                let stub = image.instructions(function(image, stub)?);
                entries.extend(stub.iter().map(Instruction::ip));
            }
            Ok(entries)
        }
        Platform::Xen if is_for_bare => Ok(vec![start(image, START_UNDER_XEN)?]),
        Platform::Xen => Ok(vec![start(image, START)?]),
    }
}

/// What a bare machine enters at addresses that the walk does not find, so that each of its instructions counts as an entry: the stubs for
/// vectors, whose addresses are computed from that of the first, and where 64-bit mode begins behind the 16-bit and 32-bit code for PVH and
/// for further CPUs. That is executed at its physical address, and jumps from there to where it was linked.
const STUBS: [&str; 3] = [
    "anyring::trap_stubs",
    "subarch_native::boot::pvh::stub::long_mode",
    "subarch_native::smp::trampoline::long_mode",
];

fn start(image: &Image, name: &str) -> Result<u64> {
    Ok(function(image, name)?.range.start)
}

fn function<'i>(image: &'i Image, name: &str) -> Result<&'i Function> {
    let found = image.functions.iter().find(|function| function.name == name);
    found.with_context(|| format!("the image has no function {name}"))
}

#[cfg(test)]
mod tests {
    use super::super::super::image::sample::{Part, image};
    use super::*;
    use iced_x86::code_asm::CodeAssembler;
    use std::path::Path;

    /// Jumps to where nothing is, and has two bytes behind that.
    fn jumps_away(a: &mut CodeAssembler) {
        a.jmp(0x1000_0000).unwrap();
        a.syscall().unwrap();
    }

    #[test]
    fn what_follows_a_jump_from_a_physical_address_counts_as_an_entry() {
        let parts = [START, STUBS[0], STUBS[1], STUBS[2]].map(|name| -> Part<'_> { (name, &jumps_away) });
        let entries = |parts| {
            entries(&Subject {
                platform: Platform::Native,
                platforms: &Platform::ALL,
                image: image(parts),
                file: Vec::new(),
                root: Path::new("/"),
            })
        };
        assert_eq!(entries(&parts).unwrap(), [0, 0x10, 0x15, 0x20, 0x25, 0x30, 0x35]);
        assert!(entries(&parts[..3]).unwrap_err().to_string().ends_with(STUBS[2]));
    }
}
