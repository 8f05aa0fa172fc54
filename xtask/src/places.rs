//! Where an instruction comes from in the source: names for the lines of a backtrace, and for what the audit finds.

use addr2line::Loader;
use anyhow::{Result, anyhow};
use object::{Object, ObjectSymbol, SymbolKind};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A function at a line, of the chain of calls that were inlined at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The function's name as the source has it; empty if it is not known.
    pub function: String,
    /// `file:line`, the file relative to the workspace, its crate or the standard library; empty if it is not known.
    pub line: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.function.as_str(), self.line.as_str()) {
            (function, "") => f.write_str(function),
            ("", line) => write!(f, "({line})"),
            (function, line) => write!(f, "{function} ({line})"),
        }
    }
}

/// The debug information of an image.
pub struct Places {
    loader: Loader,
    root: PathBuf,
}

impl Places {
    /// Opens the image `path`, built from the sources below `root`.
    ///
    /// # Errors
    /// It has no debug information.
    pub fn open(path: &Path, root: &Path) -> Result<Self> {
        let loader = Loader::new(path).map_err(|why| anyhow!("no debug information in {}: {why}", path.display()))?;
        let root = root.to_owned();
        Ok(Self { loader, root })
    }

    /// The functions at `address`, innermost first, as far as anything is known of them.
    pub fn at(&self, address: u64) -> Vec<Place> {
        let mut places = Vec::new();
        let Ok(mut frames) = self.loader.find_frames(address) else {
            return places;
        };
        while let Ok(Some(frame)) = frames.next() {
            let name = frame.function.as_ref().and_then(|function| function.raw_name().ok());
            let place = frame
                .location
                .and_then(|location| Some((location.file?, location.line?)));
            let place = Place {
                function: name.map_or_else(String::new, |name| demangled(&name)),
                line: place.map_or_else(String::new, |(file, line)| {
                    format!("{}:{line}", shorter(file, &self.root))
                }),
            };
            if !place.function.is_empty() || !place.line.is_empty() {
                places.push(place);
            }
        }
        places
    }

    /// The symbol that `address` lies behind, as the source has its name.
    pub fn symbol(&self, address: u64) -> Option<String> {
        self.loader.find_symbol(address).map(demangled)
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// A symbol's name as written in the source, without the compiler's hash.
pub fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// What `of` says of each symbol, by its name as the file has it.
pub fn symbols<'d>(file: &'d object::File<'d>, of: fn(&object::Symbol<'d, 'd>) -> u64) -> BTreeMap<String, u64> {
    let named = file.symbols().filter(|symbol| symbol.kind() != SymbolKind::File);
    named
        .filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), of(&symbol))))
        .collect()
}

/// A source file as a reader knows it: relative to the workspace, to its crate, or to the standard library.
fn shorter<'a>(file: &'a str, root: &Path) -> &'a str {
    if let Ok(inside) = Path::new(file).strip_prefix(root) {
        return inside.to_str().unwrap_or(file);
    }
    if let Some((_, library)) = file.split_once("/library/") {
        return library;
    }
    let below_registry = file
        .split_once("/registry/src/")
        .and_then(|(_, below)| below.split_once('/'));
    below_registry.map_or(file, |(_, inside)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shown_relative_to_what_a_reader_knows() {
        let root = Path::new("/src/anyring");
        assert_eq!(shorter("/src/anyring/arch/src/irq.rs", root), "arch/src/irq.rs");
        assert_eq!(
            shorter(
                "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/fmt/mod.rs",
                root
            ),
            "core/src/fmt/mod.rs"
        );
        assert_eq!(
            shorter("/cargo/registry/src/index-1949cf8c/spin-0.12.0/src/once.rs", root),
            "spin-0.12.0/src/once.rs"
        );
        assert_eq!(shorter("arch/src/irq.rs", root), "arch/src/irq.rs");
    }

    #[test]
    fn names_lose_the_compilers_hash() {
        assert_eq!(
            demangled("_ZN4core3fmt9Formatter3pad17h1234567890abcdefE"),
            "core::fmt::Formatter::pad"
        );
        assert_eq!(demangled("start_of_text"), "start_of_text");
    }
}
