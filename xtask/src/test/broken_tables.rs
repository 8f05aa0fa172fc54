//! Breaking the table by which an image of several platforms is patched: what it must say then.
//!
//! Entered by Xen, such a kernel changes its own code as the table in its file says. `cargo xtask build` writes no wrong table, so a
//! kernel meets one only in a file that was damaged later. Such files are made here: in each the table is wrong in one place, or
//! what the table leads to. The run passes only if the kernel names that site and what is wrong with it, before it has changed anything.

use super::case::Verdict;
use super::report;
use crate::build::Built;
use crate::build::paravirt_sites::{SHORTEST, Table};
use crate::qemu::session::Outcome;
use anyhow::{Context, Result};
use object::{Object, ObjectSection, SectionKind};
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use tempfile::NamedTempFile;

/// A kernel whose table cannot be followed.
#[derive(Debug)]
pub struct BrokenTable {
    /// The name of the test.
    pub name: &'static str,
    /// What machines start.
    file: NamedTempFile,
    /// What the kernel must say.
    said: String,
}

/// The kernel in the file `kernel` with each fault there is; none if it has no table.
///
/// # Errors
/// It is no kernel, or has nothing that could have the fault.
pub fn all(kernel: &Path) -> Result<Vec<BrokenTable>> {
    let image = fs::read(kernel).with_context(|| format!("cannot read {}", kernel.display()))?;
    if Table::of(&image)?.is_none() {
        return Ok(Vec::new());
    }
    Fault::ALL.into_iter().map(|fault| fault.kernel(&image)).collect()
}

impl BrokenTable {
    /// The files of this kernel, made from those of the one that is whole.
    pub fn built(&self, whole: &Built) -> Built {
        Built {
            full: whole.full.clone(),
            stripped: self.file.path().to_owned(),
        }
    }

    /// Whether the run reported it; without a backtrace, since the core has not begun yet.
    pub fn judge(&self, outcome: &Outcome) -> Verdict {
        report::judge(outcome, &[&self.said])
    }
}

/// A way in which a table is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// A site begins with the last byte of the one before.
    Overlap,
    /// A site is just below the code.
    Outside,
    /// A branch is expected where there is none.
    NoBranch,
    /// What a site becomes is just below the image.
    Astray,
    /// What a site becomes says that the site is longer than it can be filled.
    Length,
}

impl Fault {
    const ALL: [Self; 5] = [Self::Overlap, Self::Outside, Self::NoBranch, Self::Astray, Self::Length];

    fn name(self) -> &'static str {
        match self {
            Self::Overlap => "refuses sites that overlap",
            Self::Outside => "refuses a site outside the code",
            Self::NoBranch => "refuses a branch that is none",
            Self::Astray => "refuses what is not in the image",
            Self::Length => "refuses what has another length",
        }
    }

    /// What the kernel must say if it is the site at the address `site`.
    fn said(self, site: u64) -> String {
        let what = match self {
            Self::Overlap => format!("the site at {site:#x} overlaps the one before it"),
            Self::Outside => format!("the site at {site:#x} is not in the code"),
            Self::NoBranch => format!("the site at {site:#x} should be a branch, and is none"),
            Self::Astray => format!("what the site at {site:#x} becomes is not in the image"),
            Self::Length => format!("what the site at {site:#x} becomes has another length"),
        };
        format!("this kernel cannot be patched for Xen: {what}")
    }

    /// The kernel `image` with this fault.
    fn kernel(self, image: &[u8]) -> Result<BrokenTable> {
        let mut image = image.to_vec();
        let site = self
            .put_into(&mut image)
            .with_context(|| format!("no image for the test \"{}\"", self.name()))?;
        let mut file = NamedTempFile::new().context("no file for a broken kernel")?;
        file.write_all(&image).context("cannot write a broken kernel")?;
        Ok(BrokenTable {
            name: self.name(),
            file,
            said: self.said(site),
        })
    }

    /// Puts the fault into the file `image`; the address of the site that has it then.
    fn put_into(self, image: &mut [u8]) -> Result<u64> {
        let mut table = Table::of(image)?.context("it has no table of sites")?;
        let below = code(image)?.start - 1;
        let victim = self.victim(&table, image)?;
        match self {
            Self::Overlap => table.records[victim].site = table.records[victim - 1].site + SHORTEST - 1,
            Self::Outside => table.records[victim].site = below,
            Self::NoBranch => table.records[victim].site += 1,
            Self::Astray => table.records[victim].becomes = below,
            // By one a site may be longer: then a prefix is put in front.
            Self::Length => image[place(image, table.records[victim].becomes)?] += 2,
        }
        table.write(image);
        Ok(table.records[victim].site)
    }

    /// Which record of `table` is to have it.
    fn victim(self, table: &Table, image: &[u8]) -> Result<usize> {
        let code = code(image)?;
        let mut records = table.records.iter();
        let found = match self {
            Self::Outside | Self::Astray => Some(0),
            Self::Overlap => Some(1),
            Self::NoBranch => records.position(|record| code.contains(&record.becomes)),
            Self::Length => records.position(|record| !code.contains(&record.becomes)),
        };
        found
            .filter(|victim| *victim < table.records.len())
            .context("it has no such site")
    }
}

/// The addresses of the code in the file `image`.
fn code(image: &[u8]) -> Result<Range<u64>> {
    let file = object::File::parse(image)?;
    let section = file.sections().find(|section| section.kind() == SectionKind::Text);
    let section = section.context("it has no code")?;
    Ok(section.address()..section.address() + section.size())
}

/// Where in the file `image` the byte is that is loaded at `address`.
fn place(image: &[u8], address: u64) -> Result<usize> {
    let file = object::File::parse(image)?;
    let place = file.sections().find_map(|section| {
        let into = address.checked_sub(section.address())?;
        let (offset, size) = section.file_range()?;
        (into < size).then_some(offset + into)
    });
    Ok(usize::try_from(place.context("the file has no such byte")?)?)
}

#[cfg(test)]
mod tests;
