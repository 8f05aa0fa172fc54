//! Names for the addresses of a backtrace.
//!
//! The kernel prints addresses only: names would cost it hundreds of kilobytes of debug information. The host has them
//! in the image with debug information that xtask keeps beside the stripped one, so the two can never disagree.

use super::stream::Frame;
use crate::places::{Place, Places};
use anyhow::{Context, Result};
use object::{Object, ObjectSection, SectionKind};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The debug information of one image.
#[derive(Debug)]
pub struct Symbols {
    places: Places,
    /// The addresses that have code. Debug information also speaks of functions that the linker dropped, at address 0.
    code: Vec<Range<u64>>,
}

impl Symbols {
    /// Opens the image `elf`, built from the sources below `root`.
    pub fn open(elf: &Path, root: &Path) -> Result<Self> {
        let places = Places::open(elf, root)?;
        let image = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let sections = object::File::parse(&*image)?;
        let code = sections
            .sections()
            .filter(|section| section.kind() == SectionKind::Text);
        let code = code
            .map(|section| section.address()..section.address() + section.size())
            .collect();
        Ok(Self { places, code })
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
        let calls: Vec<_> = self.places.at(address).iter().map(Place::to_string).collect();
        if !calls.is_empty() {
            return Some(calls.join(" < "));
        }
        self.places.symbol(address)
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

#[cfg(test)]
mod tests {
    use super::*;

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
