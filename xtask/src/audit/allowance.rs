//! Lists of what a rule allows all the same, each entry with its reason.
//!
//! A rule without exceptions is rare in a kernel, and an exception without a reason is how rules die. So exceptions are data: a TOML
//! file beside the rule, an entry for each, which says where it holds, for what, and why. An entry that nothing needs any more is as
//! wrong as a missing one, or nobody could read from the list what is so.

use super::image::{Function, Image};
use super::violation::Violation;
use crate::platform::Platform;
use anyhow::{Context, Result, ensure};
use iced_x86::Instruction;
use serde::Deserialize;
use std::cell::Cell;

/// A list of allowances, and which of them were needed.
#[derive(Debug)]
pub struct Allowances {
    rule: &'static str,
    entries: Vec<(Allowance, Cell<usize>)>,
}

/// One entry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// For which platforms' images; all if it is not there.
    #[serde(default)]
    platforms: Vec<String>,
    /// In which functions, by their names in the source; `*` stands for anything.
    functions: Vec<String>,
    /// For which of the things that the rule looks for, by the rule's names for them; all if it is not there.
    #[serde(default)]
    kinds: Vec<String>,
    /// Why, in a phrase.
    pub reason: String,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<Allowance>,
}

impl Allowances {
    /// The entries of `text`, the content of `file`, that concern one of `platforms`.
    ///
    /// # Errors
    /// The text is no such list, or an entry names a platform that does not exist or gives no reason.
    pub fn parse(rule: &'static str, file: &str, text: &str, platforms: &[Platform]) -> Result<Self> {
        let list: File =
            toml::from_str(text).with_context(|| format!("{file} is no list of what rule {rule} allows"))?;
        for entry in &list.allow {
            ensure!(
                !entry.reason.trim().is_empty(),
                "{file}: an entry for {:?} has no reason",
                entry.functions
            );
            ensure!(
                !entry.functions.is_empty(),
                "{file}: the entry \"{}\" names no function",
                entry.reason
            );
            Platform::several(&entry.platforms).with_context(|| format!("{file}: the entry \"{}\"", entry.reason))?;
        }
        let concerns = |entry: &Allowance| {
            entry.platforms.is_empty()
                || platforms
                    .iter()
                    .any(|platform| entry.platforms.iter().any(|name| name == platform.name()))
        };
        let entries = list.allow.into_iter().filter(concerns);
        let entries = entries.map(|entry| (entry, Cell::new(0))).collect();
        Ok(Self { rule, entries })
    }

    /// The entry that allows `kind` in a function with one of `names`, if there is one. It counts as needed.
    pub fn find<'n>(&self, kind: &str, names: impl IntoIterator<Item = &'n str> + Clone) -> Option<&Allowance> {
        let fits = |entry: &Allowance| {
            (entry.kinds.is_empty() || entry.kinds.iter().any(|known| known == kind))
                && names
                    .clone()
                    .into_iter()
                    .any(|name| entry.functions.iter().any(|pattern| matches(pattern, name)))
        };
        let (entry, needed) = self.entries.iter().find(|(entry, _)| fits(entry))?;
        needed.set(needed.get() + 1);
        Some(entry)
    }

    /// Whether there is an entry for `instruction`, by its mnemonic, and by the function it is in or by a source line on the way from
    /// there to it.
    pub fn allows(&self, image: &Image, function: &Function, instruction: &Instruction) -> bool {
        let kind = format!("{:?}", instruction.mnemonic()).to_lowercase();
        let places = image.places(instruction.ip());
        let lines = places.iter().map(|place| place.line.as_str());
        self.find(&kind, lines.chain([function.name.as_str()])).is_some()
    }

    /// How often each entry was needed, with its reason.
    pub fn used(&self) -> impl Iterator<Item = (usize, &str)> {
        self.entries
            .iter()
            .map(|(entry, needed)| (needed.get(), entry.reason.as_str()))
    }

    /// A violation for each entry that was never needed.
    pub fn superfluous(&self) -> impl Iterator<Item = Violation> {
        let never = self.entries.iter().filter(|(_, needed)| needed.get() == 0);
        never.map(|(entry, _)| {
            let what = format!(
                "the list allows what does not occur any more, in {}: {}",
                entry.functions.join(", "),
                entry.reason
            );
            Violation::new(self.rule, what)
        })
    }
}

/// Whether `name` is like `pattern`, in which `*` stands for any text.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(head) else {
        return false;
    };
    loop {
        if matches(rest, name) {
            return true;
        }
        let mut letters = name.chars();
        if letters.next().is_none() {
            return false;
        }
        name = letters.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
        [[allow]]
        platforms = ["xen"]
        functions = ["a::*::f"]
        kinds = ["hlt"]
        reason = "it may"

        [[allow]]
        functions = ["g", "h"]
        reason = "they may"
    "#;

    fn list(platform: Platform) -> Allowances {
        Allowances::parse("test", "list.toml", LIST, &[platform]).unwrap()
    }

    #[test]
    fn an_entry_holds_for_its_platforms_functions_and_kinds() {
        let xen = list(Platform::Xen);
        assert_eq!(xen.find("hlt", ["a::b::c::f"]).unwrap().reason, "it may");
        assert!(xen.find("cli", ["a::b::f"]).is_none());
        assert!(xen.find("hlt", ["a::b::g"]).is_none());
        assert!(xen.find("cli", ["nothing", "h"]).is_some());
        assert!(list(Platform::Native).find("hlt", ["a::b::f"]).is_none());
    }

    #[test]
    fn what_nothing_needs_is_a_violation() {
        let list = list(Platform::Xen);
        list.find("x", ["g"]);
        let superfluous: Vec<_> = list.superfluous().map(|violation| violation.to_string()).collect();
        assert_eq!(
            superfluous,
            ["test: the list allows what does not occur any more, in a::*::f: it may"]
        );
    }

    #[test]
    fn malformed_lists_are_refused_by_name() {
        let cases = [
            ("[[allow]]\nfunctions = [\"f\"]", "reason"),
            ("[[allow]]\nfunctions = [\"f\"]\nreason = \" \"", "has no reason"),
            ("[[allow]]\nfunctions = []\nreason = \"r\"", "names no function"),
            (
                "[[allow]]\nfunctions = [\"f\"]\nreason = \"r\"\nplatforms = [\"vax\"]",
                "vax",
            ),
            ("[[allow]]\nfunctions = [\"f\"]\nreason = \"r\"\ntypo = 1", "typo"),
            ("nonsense", "list.toml"),
        ];
        for (text, complaint) in cases {
            let error = Allowances::parse("test", "list.toml", text, &[Platform::Xen]).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.contains(complaint) && error.contains("list.toml"), "{error}");
        }
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("a*c", "abc") && matches("a*c", "ac") && matches("*", "") && matches("a*b*c", "aXbYbc"));
        assert!(!matches("a*c", "ab") && !matches("a", "ab") && !matches("a*b*c", "acb"));
    }
}
