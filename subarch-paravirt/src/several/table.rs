//! The table of sites: what the assembler has recorded, and the proof that it can be followed.
//!
//! Patching a wrong place would be noticed late and far away. So before the first byte is changed the whole table is looked through: each
//! site is in the code and behind the one before it, a branch is as compiled, and what a site becomes fits.

use core::fmt;
use core::ops::Range;

/// A site, as the assembler records it; `cargo xtask build` has sorted them by their addresses.
#[repr(C, packed)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Distance of the site from this field.
    pub site: i32,
    /// Distance of what it becomes from this field.
    pub becomes: i32,
}

/// How many bytes a record has.
pub const RECORD_SIZE: usize = 8;
const _: () = assert!(size_of::<Record>() == RECORD_SIZE);

/// How many bytes a branch has.
pub const BRANCH_SIZE: usize = 5;

/// What a branch is as compiled, if it is no instruction behind prefixes: one that does nothing.
pub const BRANCH: [u8; BRANCH_SIZE] = [0x0f, 0x1f, 0x44, 0, 0];

/// How many bytes an alternative may have.
pub const LONGEST: usize = 32;

/// A prefix that the processor ignores, as the sites are padded with.
const PREFIX: u8 = 0x2e;

/// First byte of `jmp rel32`.
const JUMP: u8 = 0xe9;

/// Why the table cannot be followed: always a bug of the kernel, or a damaged file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SiteError {
    /// It is not in the image's code.
    Outside(u64),
    /// It begins before the one before it in the table has ended.
    Overlap(u64),
    /// It is a branch and not as compiled.
    NoBranch(u64),
    /// What it becomes is not in the image.
    Astray(u64),
    /// What it becomes has another length by more than a prefix, or is longer than any may be.
    Length(u64),
    /// After patching it is not what it should be.
    Changed(u64),
}

impl fmt::Display for SiteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside(site) => write!(out, "the site at {site:#x} is not in the code"),
            Self::Overlap(site) => write!(out, "the site at {site:#x} overlaps the one before it"),
            Self::NoBranch(site) => write!(out, "the site at {site:#x} should be a branch, and is none"),
            Self::Astray(site) => write!(out, "what the site at {site:#x} becomes is not in the image"),
            Self::Length(site) => write!(out, "what the site at {site:#x} becomes has another length"),
            Self::Changed(site) => write!(out, "the site at {site:#x} is not what was written there"),
        }
    }
}

/// An image, as far as sites are concerned.
pub trait Image {
    /// The addresses of code, and of constants.
    fn parts(&self) -> [Range<u64>; 2];

    /// `length` bytes at `address`, which are in one of the parts.
    fn bytes(&self, address: u64, length: usize) -> &[u8];
}

/// A site, and what is to stand there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where it is.
    pub site: u64,
    bytes: [u8; LONGEST],
    length: usize,
}

impl Change {
    /// What is to stand there.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The address behind it.
    pub fn end(&self) -> u64 {
        self.site + self.length as u64
    }

    /// What the record at address `at` asks for.
    ///
    /// # Errors
    /// [`SiteError`] if `image` has no such site, or nothing that it could become.
    pub fn of(record: Record, at: u64, image: &impl Image) -> Result<Self, SiteError> {
        let site = at.wrapping_add_signed(record.site.into());
        let becomes = (at + size_of::<i32>() as u64).wrapping_add_signed(record.becomes.into());
        let [code, constants] = image.parts();
        if code.contains(&becomes) {
            Self::branch(site, becomes)
        } else if constants.contains(&becomes) && constants.contains(&(becomes + 1 + LONGEST as u64)) {
            Self::alternative(site, becomes, image)?
        } else {
            return Err(SiteError::Astray(site));
        }
        .checked(&code)
    }

    /// A jump from `site` to `target`, both in the image.
    fn branch(site: u64, target: u64) -> Self {
        let distance = target.wrapping_sub(site.wrapping_add(BRANCH_SIZE as u64)) as i32;
        let mut bytes = [0; LONGEST];
        bytes[0] = JUMP;
        bytes[1..BRANCH_SIZE].copy_from_slice(&distance.to_le_bytes());
        let length = BRANCH_SIZE;
        Self { site, bytes, length }
    }

    /// The alternative at address `becomes` for `site`: behind the site's length and its own its bytes. One that is shorter, for want of a
    /// register's prefix, gets another in front.
    fn alternative(site: u64, becomes: u64, image: &impl Image) -> Result<Self, SiteError> {
        let lengths = image.bytes(becomes, 2);
        let [length, own] = [lengths[0], lengths[1]].map(usize::from);
        if length > LONGEST || !(own..=own + 1).contains(&length) {
            return Err(SiteError::Length(site));
        }
        let mut bytes = [PREFIX; LONGEST];
        bytes[length - own..length].copy_from_slice(image.bytes(becomes + 2, own));
        Ok(Self { site, bytes, length })
    }

    /// The same, if it is in the `code`.
    fn checked(self, code: &Range<u64>) -> Result<Self, SiteError> {
        if code.contains(&self.site) && self.end() <= code.end {
            Ok(self)
        } else {
            Err(SiteError::Outside(self.site))
        }
    }

    /// Whether a branch is as compiled, and so can be changed.
    ///
    /// # Errors
    /// [`SiteError::NoBranch`].
    pub fn check_compiled(&self, image: &impl Image) -> Result<(), SiteError> {
        let is_branch = self.bytes[0] == JUMP;
        let found = image.bytes(self.site, self.length);
        if is_branch && found != BRANCH && !found.starts_with(&[PREFIX; 2]) {
            return Err(SiteError::NoBranch(self.site));
        }
        Ok(())
    }

    /// Whether it was made.
    ///
    /// # Errors
    /// [`SiteError::Changed`].
    pub fn check_made(&self, image: &impl Image) -> Result<(), SiteError> {
        if image.bytes(self.site, self.length) == self.bytes() {
            Ok(())
        } else {
            Err(SiteError::Changed(self.site))
        }
    }
}

/// All changes, in the order of `records`, the first of which is at address `at`.
pub fn changes(records: &[Record], at: u64, image: &impl Image) -> impl Iterator<Item = Result<Change, SiteError>> {
    let addresses = (at..).step_by(RECORD_SIZE);
    let mut end = 0;
    records.iter().zip(addresses).map(move |(record, at)| {
        let change = Change::of(*record, at, image)?;
        if change.site < end {
            return Err(SiteError::Overlap(change.site));
        }
        end = change.end();
        Ok(change)
    })
}

#[cfg(test)]
mod tests;
