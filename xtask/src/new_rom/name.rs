//! What a ROM may be called.
//!
//! One name serves as the header's, which has room for 16 characters, as cargo's for a package and a binary, as a file's, and
//! as a word for `--rom`. So it must be all of these at once.

use crate::failure::Failure;
use crate::rom;
use anyhow::{Result, ensure};
use std::fmt;
use std::path::Path;

/// The room for a name in the header.
const LONGEST: usize = 16;
/// What is suggested if nothing of what was typed can stay.
const SUGGESTION: &str = "my-rom";
/// Names that something else has: what `--rom` takes for no ROM, what lies where cargo links ROMs, and what ROMs depend on.
const TAKEN: [&str; 7] = ["none", "anyring", "programs", "vmi-rom", "vmi64", "x86-64", "main"];
/// Names that cargo reserves: its own folders, and the standard library's.
const CARGOS: [&str; 8] = [
    "alloc",
    "build",
    "core",
    "deps",
    "examples",
    "incremental",
    "std",
    "test",
];
/// Rust's keywords, which cannot name a crate.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// A name that a ROM can have and none has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// `text` as the name of a ROM that `vmi-rom` in the workspace at `root` does not have.
    ///
    /// # Errors
    /// [`Failure::Usage`]: it cannot be one, or is taken. The message says what to type.
    pub fn new(root: &Path, text: &str) -> Result<Self> {
        let instead = suggestion(text);
        ensure!(
            is_well_formed(text),
            Failure::Usage.error(format!(
                "`{text}` cannot be a ROM's name, which has lower-case letters, digits and hyphens, begins with a letter, ends with none \
                 of the hyphens, and has {LONGEST} characters at the most; type `cargo xtask new-rom {instead}`"
            ))
        );
        ensure!(
            !is_reserved(text),
            Failure::Usage.error(format!(
                "`{text}` cannot be a ROM's name, since it means something else to cargo, to Rust or to `--rom`; \
                 type `cargo xtask new-rom {instead}`"
            ))
        );
        ensure!(
            !rom::names(root).iter().any(|name| name == text),
            Failure::Usage.error(format!(
                "there is a ROM `{text}`, {}/{text}.rs; type another name, or `cargo xtask run --features vmi --rom {text}` to boot it",
                rom::SOURCES
            ))
        );
        Ok(Self(text.to_owned()))
    }

    /// The name as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether it has the characters of a name, and not too many.
fn is_well_formed(text: &str) -> bool {
    let inside = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let [first, .., last] = text.as_bytes() else {
        return matches!(text.as_bytes(), [b'a'..=b'z']);
    };
    text.len() <= LONGEST && text.as_bytes().iter().all(inside) && first.is_ascii_lowercase() && *last != b'-'
}

/// Whether it means something else to somebody.
fn is_reserved(text: &str) -> bool {
    TAKEN.contains(&text) || CARGOS.contains(&text) || KEYWORDS.contains(&text)
}

/// A name as near to `text` as one can be.
fn suggestion(text: &str) -> String {
    let like = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let letters: String = text
        .chars()
        .map(like)
        .skip_while(|letter| !letter.is_ascii_lowercase())
        .take(LONGEST)
        .collect();
    match letters.trim_end_matches('-') {
        "" => SUGGESTION.to_owned(),
        reserved if is_reserved(reserved) => format!("{}-rom", &reserved[..reserved.len().min(LONGEST - "-rom".len())]),
        good => good.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::explain;
    use crate::paths::Paths;

    fn named(text: &str) -> Result<Name> {
        Name::new(&Paths::find().unwrap().root, text)
    }

    #[test]
    fn names_of_hypervisors_are_names() {
        for good in ["kvm", "a", "bhyve", "hyper-v", "nova2", "exactly-sixteen-"].map(|name| name.trim_end_matches('-'))
        {
            assert_eq!(named(good).unwrap().as_str(), good);
        }
        assert!(named("sixteen-letters1").is_ok());
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_one_that_can() {
        let refused = [
            ("", "my-rom"),
            ("My ROM", "my-rom"),
            ("hyper_v", "hyper-v"),
            ("9p", "p"),
            ("-x", "x"),
            ("x-", "x"),
            ("häß", "h"),
            ("seventeen-letters", "seventeen-letter"),
            ("../../etc", "etc"),
            ("a\"b", "a-b"),
            ("none", "none-rom"),
            ("main", "main-rom"),
            ("test", "test-rom"),
            ("self", "self-rom"),
            ("x86-64", "x86-64-rom"),
            ("native", "another name"),
            ("template", "--rom template"),
        ];
        for (text, instead) in refused {
            let error = named(text).unwrap_err();
            assert_eq!(Failure::of(&error), Failure::Usage);
            assert!(explain(&error).contains(instead), "{text}: {}", explain(&error));
        }
    }

    #[test]
    fn what_is_suggested_would_be_accepted() {
        for text in [
            "",
            "My ROM",
            "---",
            "none",
            "a.very.long.name.indeed",
            "UNSAFE",
            "é",
            "x86_64",
            "override",
        ] {
            let suggestion = suggestion(text);
            assert!(named(&suggestion).is_ok(), "{text}: {suggestion}");
        }
    }
}
