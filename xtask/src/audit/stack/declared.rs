//! What the instructions alone do not say about the use of the stack, declared in `declared.txt`, each with its reason.
//!
//! A line is `kind platforms …what… -- reason`; the platforms are `all` or names with commas between. What a line says about functions
//! it says by their names, where `*` stands for anything. A line that is needed no more is wrong, so [`Declared`] keeps account of
//! which were used.

use crate::platform::Platform;
use anyhow::{Context, Result, bail, ensure};
use std::cell::Cell;

/// Where the declarations are, for messages.
pub const FILE: &str = "xtask/src/audit/stack/declared.txt";

/// The declarations for one platform.
#[derive(Debug, Default)]
pub struct Declared {
    lines: Vec<Line>,
}

/// One of them.
#[derive(Debug)]
pub struct Line {
    /// Its number in the file.
    pub number: usize,
    /// What it says.
    pub says: Says,
    used: Cell<bool>,
}

/// What can be declared.
#[derive(Debug, PartialEq, Eq)]
pub enum Says {
    /// The kernel is entered by the functions so named; `hardware` bytes are on the stack then.
    Entry {
        /// How it comes to be on a stack.
        role: Role,
        /// What the processor or the hypervisor has pushed, alignment included.
        hardware: u64,
        /// The functions.
        name: Pattern,
    },
    /// Where calls to computed addresses in some functions may lead.
    Calls {
        /// The functions with such calls.
        from: Pattern,
        /// Those that may be called.
        to: Pattern,
    },
    /// Some functions are on a path so often at the most.
    Bound {
        /// How often.
        times: u8,
        /// The functions.
        name: Pattern,
    },
    /// Some functions are where a panic begins.
    Panic(Pattern),
    /// Some functions go on with another stack, or with a program, when they load RSP.
    Leave(Pattern),
}

/// How an entry comes to be on a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// On an empty one.
    Base,
    /// On top of whatever runs but another interrupt: interrupts are masked in its handler.
    Interrupt,
    /// On top of whatever runs.
    Exception,
    /// As an interrupt or as an exception.
    Both,
    /// On one of its own, which is for the worst moments.
    Own,
}

/// Names in which `*` stands for anything, with ` | ` between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Whether `name` is one of those meant.
    pub fn matches(&self, name: &str) -> bool {
        self.0.split(" | ").any(|pattern| matches(pattern, name))
    }
}

/// Whether `name` is `pattern`, with something for each `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(first) else {
        return false;
    };
    // What stands before the next `*` is best taken where it is first found; what stands last must be at the end.
    match rest.split_once('*') {
        None => name.ends_with(rest),
        Some((next, _)) => name
            .find(next)
            .is_some_and(|at| matches(&rest[next.len()..], &name[at + next.len()..])),
    }
}

impl Declared {
    /// Reads the declarations for `platform` out of `text`.
    ///
    /// # Errors
    /// A line is malformed, by file, line and reason.
    pub fn read(text: &str, platform: Platform) -> Result<Self> {
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (platforms, says) = parse(line).with_context(|| format!("{FILE}:{number}"))?;
            if platforms.contains(&platform) {
                lines.push(Line {
                    number,
                    says,
                    used: Cell::new(false),
                });
            }
        }
        Ok(Self { lines })
    }

    /// The lines out of which `pick` takes something, with that.
    pub fn each<'a, T>(&'a self, pick: impl Fn(&'a Says) -> Option<T>) -> impl Iterator<Item = (&'a Line, T)> {
        self.lines
            .iter()
            .filter_map(move |line| Some((line, pick(&line.says)?)))
    }

    /// Whether a panic begins in the function `name`.
    pub fn is_panic(&self, name: &str) -> bool {
        self.find(name, |says| match says {
            Says::Panic(pattern) => Some(pattern),
            _ => None,
        })
    }

    /// Whether the function `name` goes on with another stack when it loads RSP.
    pub fn leaves(&self, name: &str) -> bool {
        self.find(name, |says| match says {
            Says::Leave(pattern) => Some(pattern),
            _ => None,
        })
    }

    fn find<'a>(&'a self, name: &str, pick: impl Fn(&'a Says) -> Option<&'a Pattern>) -> bool {
        let found = self.each(pick).find(|(_, pattern)| pattern.matches(name));
        found.inspect(|(line, _)| line.is_used()).is_some()
    }

    /// The numbers of the lines that nothing needed.
    pub fn unused(&self) -> impl Iterator<Item = usize> {
        self.lines
            .iter()
            .filter(|line| !line.used.get())
            .map(|line| line.number)
    }
}

impl Line {
    /// Notes that it was needed.
    pub fn is_used(&self) {
        self.used.set(true);
    }
}

/// Reads one line.
fn parse(line: &str) -> Result<(Vec<Platform>, Says)> {
    let (what, reason) = line.split_once(" -- ").context("no reason: it follows ` -- `")?;
    ensure!(!reason.trim().is_empty(), "the reason is empty");
    let (kind, rest) = word(what)?;
    let (platforms, rest) = word(rest)?;
    let platforms = match platforms {
        "all" => Platform::ALL.to_vec(),
        named => Platform::several(&[named.to_owned()])?,
    };
    let says = match kind {
        "entry" => entry(rest)?,
        "calls" => {
            let (from, to) = rest
                .split_once(" => ")
                .context("`calls` needs ` => ` between callers and called")?;
            Says::Calls {
                from: pattern(from)?,
                to: pattern(to)?,
            }
        }
        "bound" => {
            let (times, name) = word(rest)?;
            Says::Bound {
                times: times.parse().with_context(|| format!("`{times}` is no small number"))?,
                name: pattern(name)?,
            }
        }
        "panic" => Says::Panic(pattern(rest)?),
        "leave" => Says::Leave(pattern(rest)?),
        other => bail!("`{other}` is none of entry, calls, bound, panic, leave"),
    };
    Ok((platforms, says))
}

fn entry(rest: &str) -> Result<Says> {
    let (role, rest) = word(rest)?;
    let (hardware, name) = word(rest)?;
    Ok(Says::Entry {
        role: match role {
            "base" => Role::Base,
            "interrupt" => Role::Interrupt,
            "exception" => Role::Exception,
            "both" => Role::Both,
            "own" => Role::Own,
            other => bail!("`{other}` is none of base, interrupt, exception, both, own"),
        },
        hardware: hardware
            .parse()
            .with_context(|| format!("`{hardware}` is no number of bytes"))?,
        name: pattern(name)?,
    })
}

/// The first word of `text`, and what follows.
fn word(text: &str) -> Result<(&str, &str)> {
    let (word, rest) = text
        .trim_start()
        .split_once(' ')
        .with_context(|| format!("something is missing after `{}`", text.trim()))?;
    Ok((word, rest.trim_start()))
}

fn pattern(text: &str) -> Result<Pattern> {
    let text = text.trim();
    ensure!(!text.is_empty(), "a name is missing");
    Ok(Pattern(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::explain;

    #[test]
    fn a_star_stands_for_anything() {
        let cases = [
            ("core::fmt::write", "core::fmt::write", true),
            ("core::fmt::write", "core::fmt::write_str", false),
            ("core::fmt::*", "core::fmt::write", true),
            ("*::fmt", "<T as core::fmt::Debug>::fmt", true),
            (
                "<* as core::fmt::Write>::write_*",
                "<W as core::fmt::Write>::write_str",
                true,
            ),
            (
                "<* as core::fmt::Write>::write_*",
                "<W as core::fmt::Debug>::fmt",
                false,
            ),
            ("a*a", "a", false),
        ];
        for (pattern, name, matches) in cases {
            assert_eq!(Pattern(pattern.to_owned()).matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn a_malformed_line_is_refused_by_file_line_and_reason() {
        let cases = [
            ("panic all core::panicking::*", "no reason: it follows ` -- `"),
            ("panic all core::panicking::* -- ", "the reason is empty"),
            (
                "fear all x -- why",
                "`fear` is none of entry, calls, bound, panic, leave",
            ),
            ("leave arm x -- why", "no platform is called `arm`"),
            ("bound all often x -- why", "`often` is no small number"),
            (
                "entry all side 8 x -- why",
                "`side` is none of base, interrupt, exception, both, own",
            ),
            ("calls all x -- why", "`calls` needs ` => ` between callers and called"),
        ];
        for (line, reason) in cases {
            let error = explain(&Declared::read(&format!("# a comment\n{line}"), Platform::Xen).unwrap_err());
            assert!(error.starts_with(&format!("{FILE}:2: {reason}")), "{error}");
        }
    }

    #[test]
    fn lines_count_on_their_platforms_only() {
        let text = "leave native,vmi a -- why\nleave all b -- why\n";
        assert_eq!(
            Declared::read(text, Platform::Xen)
                .unwrap()
                .unused()
                .collect::<Vec<_>>(),
            [2]
        );
        assert!(Declared::read(text, Platform::Vmi).unwrap().leaves("a"));
    }
}
