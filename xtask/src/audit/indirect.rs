//! Indirection: every call and jump through a pointer has a reason, and none is on the way of an operation.
//!
//! The claim is that the border between core and platform leaves no trace. A pointer would be one: a call through a register or
//! through memory, which the processor must guess and nobody can inline. The kernel has some, where it means to: formatting goes
//! through tables of functions, a thread begins where its closure says. They are listed with their reasons; and the
//! platforms' crates have none. Whose code an instruction is, its source line tells: `log::warn!` in a platform's boot code is a call
//! of the logger by the crate `log`.
//!
//! What only looks like a pointer, [`constant`] finds out.

use super::allowance::Allowances;
use super::constant;
use super::image::{Crate, Function, Image};
use super::violation::{Violation, located};
use super::{Finding, Rule, Subject};
use crate::places::Place;
use anyhow::Result;
use iced_x86::{FlowControl, Instruction};

/// The rule.
pub const RULE: Rule = Rule {
    name: "indirection",
    check,
};

/// The list of what is allowed.
const LIST: &str = "xtask/src/audit/indirect.toml";

fn check(subject: &Subject<'_>) -> Result<Finding> {
    let allowed = Allowances::parse(RULE.name, LIST, include_str!("indirect.toml"), subject.platforms)?;
    Ok(judge(&subject.image, &allowed))
}

/// Judges every indirect call and jump.
fn judge(image: &Image, allowed: &Allowances) -> Finding {
    let mut finding = Finding::default();
    let (mut found, mut constants) = (0, 0);
    for (function, instruction) in image.all_instructions() {
        let Some(kind) = kind(&instruction) else {
            continue;
        };
        if constant::target(image, function, &instruction).is_some() && !is_probe(function) {
            constants += 1;
            continue;
        }
        found += 1;
        let places = image.places(instruction.ip());
        match reason(function, &places, kind, allowed) {
            Ok(reason) => finding
                .details
                .push(format!("{reason}: {}", located(image, function, &instruction))),
            Err(why) => finding
                .violations
                .push(Violation::at(RULE.name, why, image, function, &instruction)),
        }
    }
    finding.violations.extend(allowed.superfluous());
    finding
        .details
        .extend(allowed.used().map(|(times, reason)| format!("{times:5} {reason}")));
    finding.summary = format!(
        "{found} indirect calls and jumps, each for a listed reason, none in a platform's code ({constants} more are to constants)"
    );
    finding
}

/// Why this one may be there, or why not.
fn reason(function: &Function, places: &[Place], kind: &str, allowed: &Allowances) -> Result<String, String> {
    let innermost = places.first();
    let owner = innermost.map_or_else(|| function.owner(), |place| Crate::of_line(&place.line));
    if is_probe(function) {
        return Err(format!("an indirect {kind} on the way of an operation"));
    }
    let kind_listed = if owner.is_of_platform() { BOOT } else { kind };
    let line = innermost.map_or("", |place| place.line.as_str());
    match allowed.find(kind_listed, [line, function.name.as_str()]) {
        Some(entry) => Ok(entry.reason.clone()),
        None if owner.is_of_platform() => Err(format!("an indirect {kind} in the code of {owner}")),
        None => Err(format!("an indirect {kind} for no listed reason")),
    }
}

/// The only kind that a platform's code may have, where the list says so: what is done before there is anything to operate, such as
/// how a CPU comes from one mode to the next.
const BOOT: &str = "boot";

fn is_probe(function: &Function) -> bool {
    function.name.starts_with("probe.")
}

/// What it is, if it goes through a pointer.
fn kind(instruction: &Instruction) -> Option<&'static str> {
    match instruction.flow_control() {
        FlowControl::IndirectCall => Some("call"),
        FlowControl::IndirectBranch => Some("jump"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
