//! How deep the stack gets on each way into the kernel, and that a kernel stack is deep enough.
//!
//! A stack that is too small is found by whoever has bad luck: the deepest system call, interrupted at its deepest point, by an
//! interrupt that faults. No test meets that by chance. So the depth is computed from the instructions: what each function
//! needs ([`frame`]), who calls whom ([`graph`]), and the deepest of all paths ([`depth`]). What
//! instructions do not say, such as where a call to a computed address can lead, is declared with a reason, and
//! what is neither known nor declared is an error.
//!
//! Paths that end in a panic are measured apart. They write a report with all of the machinery of formatting, and are so deep that
//! nobody would see from the sum how much room a working kernel has left.

mod declared;
mod depth;
mod frame;
mod graph;

use super::{Finding, Rule, Subject, Violation};
use crate::platform::Platform;
use anyhow::Result;
use declared::{Declared, FILE, Role, Says};
use depth::{Path, Paths, Search};
use graph::Graph;

/// The declarations.
const DECLARED: &str = include_str!("declared.txt");

/// The symbol whose value is the size of a kernel stack.
const STACK_SIZE: &str = "kernel_stack_size";

/// The symbol whose value is the size of the stacks for the worst moments.
const OWN_STACK_SIZE: &str = "exception_stack_size";

/// The rule.
pub const RULE: Rule = Rule { name: "stack", check };

/// A way into the kernel, and how deep it leads.
struct Entry {
    role: Role,
    name: String,
    working: Path,
    all: Path,
}

/// Measures every way into the kernel.
///
/// # Errors
/// A declaration is malformed.
fn check(subject: &Subject<'_>) -> Result<Finding> {
    check_with(DECLARED, subject)
}

/// The same with these declarations.
fn check_with(declarations: &str, subject: &Subject<'_>) -> Result<Finding> {
    let declared = Declared::read(declarations, compiled(subject))?;
    let mut violations = Vec::new();
    let entries = entries(subject, &declared, &mut violations);
    let unused = declared
        .unused()
        .map(|line| Violation::new(RULE.name, format!("{FILE}:{line} is needed no more")));
    violations.extend(unused);
    let size = |symbol| subject.image.symbols.get(symbol).copied();
    let (summary, too_deep) = judge(&entries, size(STACK_SIZE), size(OWN_STACK_SIZE));
    violations.extend(too_deep);
    Ok(Finding {
        summary,
        details: entries.iter().flat_map(Entry::lines).collect(),
        violations,
    })
}

/// The platform whose code is executed: on a bare machine it is that of vmi, if vmi is there, with a ROM or without.
fn compiled(subject: &Subject<'_>) -> Platform {
    let with_rom = [Platform::Vmi].into_iter().find(|vmi| subject.platforms.contains(vmi));
    with_rom
        .filter(|_| subject.platform.is_bare())
        .unwrap_or(subject.platform)
}

/// Measures all entries that are declared; what is in doubt is a violation.
fn entries(subject: &Subject<'_>, declared: &Declared, violations: &mut Vec<Violation>) -> Vec<Entry> {
    let mut graph = Graph::new(&subject.image, declared);
    let ways = declared.each(|says| match says {
        Says::Entry { role, hardware, name } => Some((*role, *hardware, name)),
        _ => None,
    });
    let mut found = Vec::new();
    for (line, (role, hardware, pattern)) in ways {
        let functions = subject.image.functions.iter().enumerate();
        for (number, function) in functions.filter(|(_, function)| pattern.matches(&function.name)) {
            line.is_used();
            found.push((role, hardware, number, function.name.clone()));
        }
    }
    let working = measure(&mut graph, Paths::Working, &found, violations);
    let all = measure(&mut graph, Paths::All, &found, violations);
    let pairs = working.into_iter().zip(all);
    found
        .into_iter()
        .zip(pairs)
        .map(|((role, _, _, name), (working, all))| Entry {
            role,
            name,
            working,
            all,
        })
        .collect()
}

/// The deepest path from each of the functions, with what is on the stack before.
fn measure(
    graph: &mut Graph<'_>,
    paths: Paths,
    from: &[(Role, u64, usize, String)],
    violations: &mut Vec<Violation>,
) -> Vec<Path> {
    let mut search = Search::new(graph, paths);
    let found = from
        .iter()
        .map(|(_, hardware, number, _)| {
            let path = search.from(*number);
            Path {
                bytes: path.bytes + hardware,
                ..path
            }
        })
        .collect();
    for doubt in search.doubts() {
        let violation = Violation::new(RULE.name, doubt);
        if !violations.contains(&violation) {
            violations.push(violation);
        }
    }
    found
}

/// What holds in a line, and what does not fit: a stack of `size` bytes must have room for what runs on it at its deepest, an
/// interrupt on top of that, and an exception in the interrupt's handler; one of `own` bytes, for an entry on a stack of its own.
fn judge(entries: &[Entry], size: Option<u64>, own: Option<u64>) -> (String, Vec<Violation>) {
    let deepest = |path: fn(&Entry) -> &Path, roles: &[Role]| -> u64 {
        let matching = entries.iter().filter(|entry| roles.contains(&entry.role));
        matching.map(|entry| path(entry).bytes).max().unwrap_or(0)
    };
    let base = deepest(
        Entry::working,
        &[Role::Base, Role::Interrupt, Role::Exception, Role::Both],
    );
    let interrupt = deepest(Entry::working, &[Role::Interrupt, Role::Both]);
    let exception = deepest(Entry::working, &[Role::Exception, Role::Both]);
    let panic = deepest(Entry::all, &[Role::Exception, Role::Both]);
    let (working, last) = (base + interrupt + exception, base + interrupt + panic);
    let summary = format!(
        "{base} bytes, an interrupt {interrupt}, an exception {exception} ({panic} with a panic): {working} ({last}) of {}",
        shown(size)
    );
    let on_own = deepest(Entry::all, &[Role::Own]);
    let wrong = [
        room(STACK_SIZE, size, working, "without a panic"),
        room(STACK_SIZE, size, last, "with a panic"),
        room(OWN_STACK_SIZE, own, on_own, "on a stack of its own").filter(|_| on_own > 0),
    ];
    let violations = wrong.into_iter().flatten().map(|what| Violation::new(RULE.name, what));
    (summary, violations.collect())
}

/// A complaint if there is no room for `bytes` on a stack whose size the symbol `symbol` gives.
fn room(symbol: &str, size: Option<u64>, bytes: u64, what: &str) -> Option<String> {
    match size {
        None => Some(format!(
            "the image does not say how large its stacks are: no symbol {symbol}"
        )),
        Some(size) if bytes > size => Some(format!("{bytes} bytes, {what}, do not fit into a stack of {size}")),
        Some(_) => None,
    }
}

fn shown(size: Option<u64>) -> String {
    size.map_or_else(|| "unknown".to_owned(), |size| size.to_string())
}

impl Entry {
    fn working(&self) -> &Path {
        &self.working
    }

    fn all(&self) -> &Path {
        &self.all
    }

    /// The depth, and the functions on the deepest path with the bytes of each.
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{}: {} bytes, with panics {}",
            self.name, self.working.bytes, self.all.bytes
        )];
        for (what, path) in [("working", &self.working), ("panic", &self.all)] {
            lines.extend(
                path.functions
                    .iter()
                    .map(|(bytes, name)| format!("    {what:8} {bytes:>6} {name}")),
            );
        }
        lines
    }
}

#[cfg(test)]
mod tests;
