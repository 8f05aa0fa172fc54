//! Privilege: instructions that need it are where it is.
//!
//! A kernel in ring 3 that executes `cli` is stopped by a fault, or emulated at a hundred times the price; one that executes `popf` to
//! unmask is not even told that nothing happened. The other way round, a hypercall on a bare machine leads nowhere. So the images
//! have none of the former for xen, and of the latter for native, outside a list, and the one for vmi has its privileged
//! instructions where a ROM may change them, or in the native operations that it falls back to.

pub mod reached;

use super::allowance::Allowances;
use super::image::{Function, Image, LETTERS, decode};
use super::violation::Violation;
use super::{Finding, Rule, Subject};
use crate::platform::Platform;
use crate::sites::table::{self, Patch};
use anyhow::Result;
use iced_x86::{Instruction, Mnemonic};
use std::iter;
use std::ops::Range;

/// The rule.
pub const RULE: Rule = Rule {
    name: "privilege",
    check,
};

/// The list of what is allowed.
const LIST: &str = "xtask/src/audit/privilege.toml";

fn check(subject: &Subject<'_>) -> Result<Finding> {
    let allowed = Allowances::parse(RULE.name, LIST, include_str!("privilege.toml"), &[subject.platform])?;
    let patches = table::read(&subject.image)?;
    let all = |_: &Function, _: &Instruction| true;
    Ok(judge(subject.platform, &subject.image, &all, &patches, &allowed))
}

/// Judges every instruction that needs a privilege or calls for one, of those that count.
fn judge(
    platform: Platform,
    image: &Image,
    counts: &dyn Fn(&Function, &Instruction) -> bool,
    patches: &[Patch],
    allowed: &Allowances,
) -> Finding {
    let mut finding = Finding::default();
    let mut in_patches = 0;
    let mut found = 0;
    for function in &image.functions {
        let instructions = image.instructions(function);
        for (index, instruction) in instructions.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| instructions.get(index));
            let Some(why) = reason_against(platform, before, instruction).filter(|_| counts(function, instruction))
            else {
                continue;
            };
            found += 1;
            if is_in(patches, instruction) {
                in_patches += 1;
            } else if is_senseless(platform, instruction) || !allowed.allows(image, function, instruction) {
                finding
                    .violations
                    .push(Violation::at(RULE.name, why, image, function, instruction));
            }
        }
    }
    finding.violations.extend(gaps(image));
    finding.violations.extend(allowed.superfluous());
    finding.summary = summary(platform, found, in_patches);
    finding.details = allowed
        .used()
        .map(|(times, reason)| format!("{times:5} {reason}"))
        .collect();
    finding
}

fn summary(platform: Platform, found: usize, in_patches: usize) -> String {
    let listed = found - in_patches;
    match platform {
        Platform::Native => format!("{found} hypercalls"),
        Platform::Xen => format!("{found} instructions that need a privilege, {listed} of them listed with a reason"),
        Platform::Vmi => {
            format!("{found} privileged instructions, {in_patches} at call sites, {listed} in the native operations")
        }
    }
}

/// Why `instruction`, which follows `before`, should not be in an image for `platform`, if it should not.
fn reason_against(platform: Platform, before: Option<&Instruction>, instruction: &Instruction) -> Option<&'static str> {
    match platform {
        Platform::Xen if instruction.is_privileged() => Some("a privileged instruction, which ring 3 has not"),
        Platform::Xen if is_sensitive(instruction) && !is_forced(before, instruction) => {
            Some("an instruction that in ring 3 does something else without saying so")
        }
        _ if is_misplaced_hypercall(platform, instruction) => Some("a hypercall where there is no hypervisor"),
        Platform::Vmi if instruction.is_privileged() => {
            Some("a privileged instruction that no ROM can change, outside the native operations")
        }
        _ => None,
    }
}

/// Whether `instruction` asks Xen, by the prefix for forced emulation, to answer instead of the processor. Xen does so for `cpuid` alone.
///
/// The prefix is `ud2` and three letters, and `ud2` without them is what ends a function that does not return.
fn is_forced(before: Option<&Instruction>, instruction: &Instruction) -> bool {
    let is_prefix = |before: &Instruction| {
        before.mnemonic() == Mnemonic::Ud2 && instruction.ip() == before.next_ip() + LETTERS.len() as u64
    };
    instruction.mnemonic() == Mnemonic::Cpuid && before.is_some_and(is_prefix)
}

/// Instructions that are not privileged, and yet not what a kernel in ring 3 thinks (Popek and Goldberg, 1974, call them sensitive).
fn is_sensitive(instruction: &Instruction) -> bool {
    use Mnemonic::*;
    matches!(
        instruction.mnemonic(),
        Pushf
            | Pushfq
            | Popf
            | Popfq
            | Iret
            | Iretd
            | Iretq
            | Sgdt
            | Sidt
            | Sldt
            | Smsw
            | Str
            | Cpuid
            | Rdfsbase
            | Rdgsbase
            | Wrfsbase
            | Wrgsbase
    )
}

/// Whether it is one that leads nowhere on a machine of the kernel's own, whoever is beneath: for that no list can have a reason.
fn is_senseless(platform: Platform, instruction: &Instruction) -> bool {
    let after_a_look = matches!(instruction.mnemonic(), Mnemonic::Vmcall | Mnemonic::Vmmcall);
    is_misplaced_hypercall(platform, instruction) && !after_a_look
}

/// Whether it calls a hypervisor where there may be none.
fn is_misplaced_hypercall(platform: Platform, instruction: &Instruction) -> bool {
    use Mnemonic::*;
    let is_hypercall = matches!(
        instruction.mnemonic(),
        Syscall | Sysenter | Vmcall | Vmmcall | Vmgexit | Int
    );
    is_hypercall && platform != Platform::Xen
}

fn is_in(patches: &[Patch], instruction: &Instruction) -> bool {
    let behind = patches.partition_point(|patch| patch.range.start <= instruction.ip());
    patches[..behind]
        .last()
        .is_some_and(|patch| patch.range.contains(&instruction.ip()))
}

/// Code that belongs to no function, where anything could hide: nothing but padding may be there.
fn gaps(image: &Image) -> Vec<Violation> {
    image
        .code()
        .flat_map(|section| gaps_in(image, &section.range))
        .collect()
}

/// The same for one section of code.
fn gaps_in(image: &Image, section: &Range<u64>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut covered = section.start;
    let inside = image
        .functions
        .iter()
        .filter(|function| section.contains(&function.range.start));
    let ranges = inside.map(|function| function.range.clone());
    for next in ranges.chain(iter::once(section.end..section.end)) {
        let gap = image.bytes(covered..next.start.max(covered));
        if !decode(covered, gap).iter().all(is_padding) {
            let what = format!("code at {covered:#x} to {:#x} belongs to no function", next.start);
            violations.push(Violation::new(RULE.name, what));
        }
        covered = covered.max(next.end);
    }
    violations
}

/// Whether it is what linkers and compilers put between functions.
fn is_padding(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Int3 | Mnemonic::Nop | Mnemonic::Ud2)
}

#[cfg(test)]
mod tests;
