//! The table of sites: what the assembler has recorded, and the proof that it can be followed.
//!
//! Patching a wrong place would be noticed late and far away. So before the first byte is changed the whole table is looked through: each
//! site is in the code and behind the one before it, a branch is as compiled, and what a site becomes fits.

use arch::site::{Change, JUMP_SIZE, LONGEST};
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

/// What a branch is as compiled, if it is no instruction behind prefixes: one that does nothing.
pub const BRANCH: [u8; JUMP_SIZE] = [0x0f, 0x1f, 0x44, 0, 0];

/// A prefix that the processor ignores, as the sites are padded with.
const PREFIX: u8 = 0x2e;

/// Marks the length of an alternative that ends with the distance of code.
pub const MOVED: u8 = 0x80;

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
    fn parts(&self) -> &[Range<u64>; 2];

    /// `length` bytes at `address`, which are in one of the parts.
    fn bytes(&self, address: u64, length: usize) -> &[u8];
}

/// Makes `change` what the record at address `at` asks for.
///
/// # Errors
/// [`SiteError`] if `image` has no such site, or nothing that it could become.
#[inline(always)]
fn make(change: &mut Change, record: Record, at: u64, image: &impl Image) -> Result<(), SiteError> {
    let site = at.wrapping_add_signed(record.site.into());
    let becomes = (at + size_of::<i32>() as u64).wrapping_add_signed(record.becomes.into());
    let [code, constants] = image.parts();
    if code.contains(&becomes) {
        change.set_jump(site, becomes);
    } else if constants.contains(&becomes) && constants.contains(&(becomes + 1 + LONGEST as u64)) {
        make_alternative(change, site, becomes, image)?;
    } else {
        return Err(SiteError::Astray(site));
    }
    if code.contains(&site) && change.end() <= code.end {
        Ok(())
    } else {
        Err(SiteError::Outside(site))
    }
}

/// Makes `change` the alternative at address `becomes` for `site`: behind the site's length and its own its bytes. One that is shorter, for
/// want of a register's prefix, gets another in front. If its length is marked as [`MOVED`], it ends with a distance, which is another at the
/// site.
#[inline(always)]
fn make_alternative(change: &mut Change, site: u64, becomes: u64, image: &impl Image) -> Result<(), SiteError> {
    let lengths = image.bytes(becomes, 2);
    let [length, own] = [lengths[0], lengths[1] & !MOVED].map(usize::from);
    if length > LONGEST || !(own..=own + 1).contains(&length) {
        return Err(SiteError::Length(site));
    }
    // As many as any may have are there, and so many are quickly copied.
    let bytes = image
        .bytes(becomes + 2, LONGEST)
        .first_chunk()
        .ok_or(SiteError::Astray(site))?;
    change.set(site, length, (length > own).then_some(PREFIX), bytes);
    if lengths[1] & MOVED != 0 {
        change.set_distance(moved_target(change, becomes + 2 + own as u64, image)?);
    }
    Ok(())
}

/// Where the distance leads with which the alternative ends that ends at address `end`: somewhere in the code.
#[inline(always)]
fn moved_target(change: &Change, end: u64, image: &impl Image) -> Result<u64, SiteError> {
    let distance = change.bytes().last_chunk().ok_or(SiteError::Length(change.site))?;
    let target = end.wrapping_add_signed(i32::from_le_bytes(*distance).into());
    let [code, _] = image.parts();
    code.contains(&target)
        .then_some(target)
        .ok_or(SiteError::Astray(change.site))
}

/// Whether a branch is as compiled, and so can be changed.
///
/// # Errors
/// [`SiteError::NoBranch`].
#[inline(always)]
pub fn check_compiled(change: &Change, image: &impl Image) -> Result<(), SiteError> {
    let found = image.bytes(change.site, change.length());
    if change.is_jump() && found != BRANCH && !found.starts_with(&[PREFIX; 2]) {
        return Err(SiteError::NoBranch(change.site));
    }
    Ok(())
}

/// Whether a change was made.
///
/// # Errors
/// [`SiteError::Changed`].
#[inline(always)]
pub fn check_made(change: &Change, image: &impl Image) -> Result<(), SiteError> {
    if image.bytes(change.site, change.length()) == change.bytes() {
        Ok(())
    } else {
        Err(SiteError::Changed(change.site))
    }
}

/// Shows `visit` each change, in the order of `records`, the first of which is at address `at`.
///
/// # Errors
/// A [`SiteError`] for the first that cannot be made, or whatever `visit` says.
#[inline(always)]
pub fn for_each<E: From<SiteError>>(
    records: &[Record],
    at: u64,
    image: &impl Image,
    mut visit: impl FnMut(&Change) -> Result<(), E>,
) -> Result<(), E> {
    let mut change = Change::NONE;
    let mut end = 0;
    for (record, at) in records.iter().zip((at..).step_by(RECORD_SIZE)) {
        make(&mut change, *record, at, image)?;
        if change.site < end {
            return Err(SiteError::Overlap(change.site).into());
        }
        end = change.end();
        visit(&change)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
