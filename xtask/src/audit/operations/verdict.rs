//! Whether an operation is what it was reviewed to be, or better.
//!
//! The same text is the same. Other text may be as good: the next compiler takes another register, or saves an instruction. What it may not
//! do is to cost more by any figure, or to do something else. The figures are bytes, instructions, stack and calls; what
//! the operation *does* is told by its [essence](super::essence), which must stay. One that has none only computes, and nothing but its
//! text tells what: then other text is for someone to look at, however cheap it is.

use super::reference::Reference;
use super::sequence::Sequence;

/// How an operation compares with its reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The same text and the same essence.
    Match,
    /// It costs less by one figure, and more by none.
    Better,
    /// It costs the same.
    AsGood,
    /// It may not be so, for this reason.
    Worse(String),
}

/// Compares what was found with what was reviewed.
pub fn judge(found: &Sequence, reviewed: &Reference) -> Verdict {
    if let Some(line) = found.indirect.first() {
        return Verdict::Worse(format!("`{line}` goes through a pointer"));
    }
    if reviewed.is_leaf && !found.calls.is_empty() {
        return Verdict::Worse(format!("it calls {}, and should call nothing", found.calls.join(", ")));
    }
    let reference = &reviewed.sequence;
    if found.essence != reference.essence {
        return Verdict::Worse(format!(
            "it does something else: [{}], reviewed was [{}]",
            found.essence.join("; "),
            reference.essence.join("; ")
        ));
    }
    if found.lines == reference.lines && found.bytes == reference.bytes {
        return Verdict::Match;
    }
    if reference.essence.is_empty() {
        return Verdict::Worse(format!(
            "it is other than reviewed, and only computes, so that nothing else tells what it does; the first difference is {}",
            difference(found, reference)
        ));
    }
    let figures = [
        ("bytes", found.bytes as u64, reference.bytes as u64),
        ("instructions", found.instructions as u64, reference.instructions as u64),
        ("bytes of stack", found.stack, reference.stack),
        ("calls", found.calls.len() as u64, reference.calls.len() as u64),
    ];
    let worse = figures.iter().find(|(_, found, reviewed)| found > reviewed);
    match worse {
        Some((what, found_figure, reviewed)) => Verdict::Worse(format!(
            "{found_figure} {what} instead of {reviewed}; the first difference is {}",
            difference(found, reference)
        )),
        None if figures.iter().any(|(_, found, reviewed)| found < reviewed) => Verdict::Better,
        None => Verdict::AsGood,
    }
}

/// Where two sequences part.
fn difference(found: &Sequence, reference: &Sequence) -> String {
    let line = |sequence: &Sequence, index: usize| sequence.lines.get(index).map_or("the end", |line| line).to_owned();
    let same = found
        .lines
        .iter()
        .zip(&reference.lines)
        .take_while(|(one, other)| one == other)
        .count();
    format!("`{}`, reviewed was `{}`", line(found, same), line(reference, same))
}
