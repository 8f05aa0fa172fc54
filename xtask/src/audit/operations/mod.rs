//! Operations: each is, in the image, what it was reviewed to be.
//!
//! "Zero indirection" and "one instruction" are properties of machine code, so machine code is what is kept: for each operation of the
//! border and each platform a *reference*, the sequence of instructions that someone has looked at and found good. The kernel has a
//! function around each operation for the purpose (`kernel-core/src/probe`). What the compiler makes of it today must be the
//! reference, or better.
//!
//! See [`verdict`] for what better means, [`reference`](mod@reference) for the files, [`sequence`] for how code becomes text that survives the next
//! build.

mod essence;
mod names;
mod page;
mod parts;
mod reference;
mod sequence;
mod verdict;

pub use page::write as write_page;

use super::image::{Function, Image};
use super::violation::Violation;
use super::{Finding, Rule, Subject};
use anyhow::Result;
use reference::References;
use sequence::Sequence;
use std::collections::BTreeMap;
use verdict::{Verdict, judge};

/// The rule.
pub const RULE: Rule = Rule {
    name: "operations",
    check,
};

/// What the names of probes begin with.
const PROBE: &str = "probe.";

fn check(subject: &Subject<'_>) -> Result<Finding> {
    let references = reference::read(subject.root, &name(subject))?;
    Ok(compare(&found(&subject.image), &references))
}

/// What the references of `subject` are called: an image of several platforms has its own on each of them.
fn name(subject: &Subject<'_>) -> String {
    match subject.platforms {
        [platform] => platform.name().to_owned(),
        _ => format!("paravirt-{}", subject.platform),
    }
}

/// The operations of `image` by name, `GROUP.OPERATION`; and `GROUP.OPERATION.body` where what stands in the operation's place calls a
/// function that is it, with another `.body` for what that calls.
fn found(image: &Image) -> BTreeMap<String, Sequence> {
    let mut found = BTreeMap::new();
    for (symbol, address) in &image.symbols {
        let Some((name, probe)) = symbol.strip_prefix(PROBE).zip(image.function_at(*address)) else {
            continue;
        };
        found.insert(name.to_owned(), Sequence::of(image, probe));
        let mut parts = name.split('.');
        let Some((group, operation)) = parts.next().zip(parts.next()) else {
            continue;
        };
        let (mut name, mut function) = (format!("{group}.{operation}"), probe);
        while let Some(body) = body(image, &name, operation, function) {
            name.push_str(".body");
            found.insert(name.clone(), Sequence::of(image, body));
            function = body;
        }
    }
    found
}

/// What happens once, or waits for a device: nobody counts its instructions, so its functions have no references.
const UNCOUNTED: [&str; 3] = ["PowerOps.", "SmpOps.start_cpu", "ConsoleOps.write"];

/// The function that `function`, which is `operation` in the place that has this name, calls instead of being it, if it does.
fn body<'i>(image: &'i Image, name: &str, operation: &str, function: &Function) -> Option<&'i Function> {
    if UNCOUNTED.iter().any(|uncounted| name.starts_with(uncounted)) {
        return None;
    }
    let callees = sequence::callees(image, function);
    let body = *callees
        .iter()
        .find(|callee| is_implementation(&callee.name, operation))?;
    let is_only = |body| match sequence::callees(image, body).as_slice() {
        [further] if Sequence::of(image, body).instructions == 1 => Some(*further),
        _ => None,
    };
    Some(is_only(body).unwrap_or(body))
}

/// Whether the function `name` is `operation`: as a method, or as what the parent has for it to be called by assembly.
fn is_implementation(name: &str, operation: &str) -> bool {
    let name = name.strip_suffix("::keeping_for_xen").unwrap_or(name);
    let is_for_assembly = ["subarch_paravirt::", "subarch_xen::assembly::"]
        .iter()
        .any(|path| name.starts_with(path));
    let ends = |ending| name.ends_with(&format!("::{operation}{ending}"));
    name.ends_with(&format!(">::{operation}")) || is_for_assembly && ["", "_of_xen", "_under_xen"].into_iter().any(ends)
}

/// Compares what was found with what was reviewed.
fn compare(found: &BTreeMap<String, Sequence>, references: &References) -> Finding {
    let mut finding = Finding::default();
    let mut verdicts = [0; 3];
    for (name, sequence) in found {
        finding.details.extend(details(name, sequence));
        let Some(reference) = references.operations.get(name) else {
            let what = format!("{name} has no reference: review it, then type `cargo xtask audit --save`");
            finding.violations.push(Violation::new(RULE.name, what));
            continue;
        };
        match judge(sequence, reference) {
            Verdict::Match => verdicts[0] += 1,
            Verdict::Better => verdicts[1] += 1,
            Verdict::AsGood => verdicts[2] += 1,
            Verdict::Worse(why) => finding
                .violations
                .push(Violation::new(RULE.name, format!("{name}: {why}"))),
        }
    }
    let gone = references.operations.keys().filter(|name| !found.contains_key(*name));
    finding
        .violations
        .extend(gone.map(|name| Violation::new(RULE.name, format!("{name} has a reference and no probe"))));
    finding.violations.extend(unreasonable(found, &references.reasons));
    let [same, better, as_good] = verdicts;
    let leaves = references
        .operations
        .values()
        .filter(|reference| reference.is_leaf)
        .count();
    finding.summary = format!(
        "{} operations, {leaves} of them without a call: {same} as reviewed, {better} better, {as_good} as good",
        found.len()
    );
    finding
}

/// Calls without a reason, and reasons without a call.
fn unreasonable(found: &BTreeMap<String, Sequence>, reasons: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut complaints = Vec::new();
    let has_reason = |callee: &String| reasons.get(callee).is_some_and(|reason| !reason.is_empty());
    for (name, sequence) in found {
        for callee in sequence.calls.iter().filter(|callee| !has_reason(callee)) {
            complaints.push(format!("{name} calls {callee}, for which there is no reason"));
        }
    }
    let is_called = |callee: &String| found.values().any(|sequence| sequence.calls.contains(callee));
    let idle = reasons.keys().filter(|callee| !is_called(callee));
    complaints.extend(idle.map(|callee| format!("there is a reason to call {callee}, and nobody does")));
    complaints
        .into_iter()
        .map(|what| Violation::new(RULE.name, what))
        .collect()
}

/// An operation for someone who wants to see it.
fn details(name: &str, sequence: &Sequence) -> Vec<String> {
    let heading = format!("{name}: {}", sequence.figures());
    let lines = sequence.lines.iter().map(|line| format!("    {line}"));
    std::iter::once(heading).chain(lines).collect()
}

/// Writes what was found in `subject` as references, below the project's root.
///
/// # Errors
/// The file cannot be written.
pub fn save(subject: &Subject<'_>) -> Result<()> {
    reference::write(subject.root, &name(subject), &found(&subject.image))
}

#[cfg(test)]
mod tests;
