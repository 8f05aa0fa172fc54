//! Where an instruction comes from in the source.

use super::Crate;
use crate::console::symbolise::shorter;
use addr2line::Loader;
use anyhow::{Result, anyhow};
use std::fmt;
use std::path::{Path, PathBuf};

/// A function at a line, of the chain of calls that were inlined at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The function's name as the source has it.
    pub function: String,
    /// `file:line`, the file relative to the workspace, its crate or the standard library.
    pub line: String,
}

impl Place {
    /// The crate whose source has the line: debug information of optimised code names inlined functions without their paths.
    pub fn owner(&self) -> Crate {
        let folder = self.line.split("/src/").next().unwrap_or_default();
        let last = folder.rsplit('/').next().unwrap_or_default();
        let name = last.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        Crate(name.trim_end_matches('-').replace('-', "_"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.function, self.line)
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

    /// The functions at `address`, innermost first.
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
            places.push(Place {
                function: name.map_or_else(String::new, |name| format!("{:#}", rustc_demangle::demangle(&name))),
                line: place.map_or_else(String::new, |(file, line)| {
                    format!("{}:{line}", shorter(file, &self.root))
                }),
            });
        }
        places
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_whose_it_is() {
        let owner = |line: &str| {
            let place = Place {
                function: String::new(),
                line: line.to_owned(),
            };
            place.owner().0
        };
        assert_eq!(owner("subarch-native/src/boot/pvh.rs:99"), "subarch_native");
        assert_eq!(owner("core/src/fmt/mod.rs:2093"), "core");
        assert_eq!(owner("log-0.4.35/src/__private_api.rs:49"), "log");
        assert_eq!(owner("kernel-core/logic/src/sched/heap.rs:1"), "logic");
    }
}
