//! Names for the addresses of a backtrace.
//!
//! The kernel prints addresses only: names would cost it hundreds of kilobytes of debug information. The host has them
//! in the image with debug information that xtask keeps beside the stripped one, so the two can never disagree.

use super::stream::Frame;
use addr2line::Loader;
use anyhow::{Context, Result, anyhow};
use object::{Object, ObjectSection, SectionKind};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The debug information of one image.
pub struct Symbols {
    loader: Loader,
    /// The addresses that have code. Debug information also speaks of functions that the linker dropped, at address 0.
    code: Vec<Range<u64>>,
    root: PathBuf,
}

impl Symbols {
    /// Opens the image `elf`, built from the sources below `root`.
    pub fn open(elf: &Path, root: &Path) -> Result<Self> {
        let loader = Loader::new(elf).map_err(|why| anyhow!("no debug information in {}: {why}", elf.display()))?;
        let image = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let sections = object::File::parse(&*image)?;
        let code = sections
            .sections()
            .filter(|section| section.kind() == SectionKind::Text);
        let code = code
            .map(|section| section.address()..section.address() + section.size())
            .collect();
        Ok(Self {
            loader,
            code,
            root: root.to_owned(),
        })
    }

    /// `function (file:line)` of a frame; calls that the compiler inlined follow from the inside out.
    ///
    /// A return address is the one *behind* the call and may already belong to the next line, or, if the call never
    /// returns, to the next function. One byte less lies within the call for certain.
    pub fn describe(&self, frame: Frame) -> Option<String> {
        let address = if frame.exact {
            frame.address
        } else {
            frame.address.checked_sub(1)?
        };
        if !self.code.iter().any(|range| range.contains(&address)) {
            return None;
        }
        let calls = self.calls(address);
        if !calls.is_empty() {
            return Some(calls.join(" < "));
        }
        self.loader.find_symbol(address).map(demangled)
    }

    /// The functions at `address`, innermost first.
    fn calls(&self, address: u64) -> Vec<String> {
        let mut calls = Vec::new();
        let Ok(mut frames) = self.loader.find_frames(address) else {
            return calls;
        };
        while let Ok(Some(frame)) = frames.next() {
            let name = frame.function.as_ref().and_then(|function| function.raw_name().ok());
            let place = frame
                .location
                .and_then(|location| Some((location.file?, location.line?)));
            match (name, place) {
                (Some(name), Some((file, line))) => {
                    calls.push(format!("{} ({}:{line})", demangled(&name), shorter(file, &self.root)));
                }
                (Some(name), None) => calls.push(demangled(&name)),
                (None, Some((file, line))) => calls.push(format!("({}:{line})", shorter(file, &self.root))),
                (None, None) => {}
            }
        }
        calls
    }
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// Debug information that is read when the first backtrace appears, which in most runs is never.
#[derive(Debug)]
pub enum LazySymbols {
    /// Not read yet: the image, and the root of its sources.
    Closed(PathBuf, PathBuf),
    /// Read; `None` if there are none.
    Open(Option<Box<Symbols>>),
}

impl LazySymbols {
    /// The symbols; `None` if the image has none, which is said once.
    pub fn open(&mut self) -> Option<&Symbols> {
        if let Self::Closed(image, root) = self {
            let symbols = Symbols::open(image, root).inspect_err(|why| eprintln!("backtraces stay numbers: {why:#}"));
            *self = Self::Open(symbols.ok().map(Box::new));
        }
        match self {
            Self::Open(symbols) => symbols.as_deref(),
            Self::Closed(..) => None,
        }
    }
}

/// A symbol's name as written in the source, without the compiler's hash.
fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// A source file as a reader knows it: relative to the workspace, to its crate, or to the standard library.
pub fn shorter<'a>(file: &'a str, root: &Path) -> &'a str {
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

    #[test]
    fn this_very_program_has_symbols() {
        let program = std::env::current_exe().unwrap();
        let symbols = Symbols::open(&program, Path::new("/nowhere")).unwrap();
        assert_eq!(
            symbols.describe(Frame {
                address: 0,
                exact: false
            }),
            None
        );
        assert!(Symbols::open(Path::new("/nonexistent"), Path::new("/nowhere")).is_err());
    }
}
