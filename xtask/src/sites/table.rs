//! The tables of a vmi image: where its sites and detours are.
//!
//! The assembler puts a record beside each (`subarch-vmi/src/site.rs`, `detour.rs`), and the kernel believes it. So the records are read
//! here as the kernel reads them, and checked as strictly: what a record claims must be code of the image, of the right size, and
//! nobody else's.

use crate::audit::image::Image;
use anyhow::{Context, Result, ensure};
use std::fmt;
use std::ops::Range;
use vmi64::Call;
use vmi64::site::SITE_RECORD_SIZE;

/// Size of the record of a detour: two distances, a call, a length.
const DETOUR_RECORD_SIZE: usize = 10;

/// A place in the code that the kernel may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// What it is.
    pub kind: Kind,
    /// The call that it is about.
    pub call: Call,
    /// Its addresses.
    pub range: Range<u64>,
    /// How many bytes of the tables tell of it.
    pub record: usize,
}

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A site of the interface, which becomes what a ROM answers.
    Site,
    /// A native instruction that becomes a jump, if a ROM takes the call.
    Detour {
        /// Where it leads.
        target: u64,
    },
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Site => "site",
            Self::Detour { .. } => "detour",
        })
    }
}

/// All places of `image`, by ascending address; none if it has no tables.
///
/// # Errors
/// A table is not whole, or a record is of a call that the interface does not have, of bytes that are no code, or of bytes that
/// another tells of as well.
pub fn read(image: &Image) -> Result<Vec<Patch>> {
    let mut patches = records(image, ".vmi.sites", SITE_RECORD_SIZE, site)?;
    patches.extend(records(image, ".vmi.detours", DETOUR_RECORD_SIZE, detour)?);
    patches.sort_by_key(|patch| patch.range.start);
    for patch in &patches {
        check(image, patch)?;
    }
    for pair in patches.windows(2) {
        ensure!(
            pair[0].range.end <= pair[1].range.start,
            "the {} at {:#x} overlaps the {} at {:#x}",
            pair[0].kind,
            pair[0].range.start,
            pair[1].kind,
            pair[1].range.start
        );
    }
    Ok(patches)
}

/// Reads the records in the section `name`.
fn records(image: &Image, name: &str, size: usize, parse: fn(u64, &[u8]) -> Result<Patch>) -> Result<Vec<Patch>> {
    let Some(table) = image.section(name) else {
        return Ok(Vec::new());
    };
    ensure!(
        table.bytes.len().is_multiple_of(size),
        "{name} has {} bytes, which are no records of {size}",
        table.bytes.len()
    );
    let addresses = (table.range.start..).step_by(size);
    let records = table.bytes.chunks_exact(size).zip(addresses);
    records.map(|(record, address)| parse(address, record)).collect()
}

/// The site that the record at `address` tells of.
fn site(address: u64, record: &[u8]) -> Result<Patch> {
    let call = call(address, record[4])?;
    let start = distance(address, &record[..4])?;
    Ok(Patch {
        kind: Kind::Site,
        call,
        range: start..start + call.site_length() as u64,
        record: record.len(),
    })
}

/// The detour that the record at `address` tells of.
fn detour(address: u64, record: &[u8]) -> Result<Patch> {
    let start = distance(address, &record[..4])?;
    let target = distance(address + 4, &record[4..8])?;
    Ok(Patch {
        kind: Kind::Detour { target },
        call: call(address, record[8])?,
        range: start..start + u64::from(record[9]),
        record: record.len(),
    })
}

/// Where a field at `address` with these bytes points to.
fn distance(address: u64, bytes: &[u8]) -> Result<u64> {
    let distance = i32::from_le_bytes(bytes.try_into().context("a distance has four bytes")?);
    Ok(address.wrapping_add_signed(distance.into()))
}

fn call(address: u64, number: u8) -> Result<Call> {
    Call::from_number(number.into())
        .with_context(|| format!("the record at {address:#x} is of call {number}, which the interface does not have"))
}

/// Refuses what is not in the code, or too small for a jump.
fn check(image: &Image, patch: &Patch) -> Result<()> {
    let inside = |address: u64| image.code().any(|section| section.range.contains(&address));
    let Patch { kind, call, range, .. } = patch;
    ensure!(
        range.end - range.start >= 5,
        "the {kind} of {} at {:#x} has no room for a jump",
        call.name(),
        range.start
    );
    let target = match kind {
        Kind::Site => range.start,
        Kind::Detour { target } => *target,
    };
    ensure!(
        [range.start, range.end - 1, target].into_iter().all(inside),
        "the {kind} of {} at {:#x} is not in the code, or does not lead there",
        call.name(),
        range.start
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::image::sample::file;
    use object::SectionKind;

    /// An image with 32 bytes of code at 0 and these tables; sections of an object all begin at 0, so distances are addresses less
    /// offsets in the table.
    fn image(sites: &[u8], detours: &[u8]) -> Image {
        let sections = [
            (".vmi.sites", SectionKind::ReadOnlyData, sites),
            (".vmi.detours", SectionKind::ReadOnlyData, detours),
        ];
        let code: &dyn Fn(&mut iced_x86::code_asm::CodeAssembler) = &|a| (0..32).for_each(|_| a.nop().unwrap());
        Image::parse(&file(&[("code", code)], &sections)).unwrap()
    }

    fn site_record(start: i32) -> Vec<u8> {
        [start.to_le_bytes().as_slice(), &[Call::SetCR3 as u8]].concat()
    }

    fn detour_record(start: i32, target: i32, length: u8) -> Vec<u8> {
        let [start, target] = [start, target - 4].map(i32::to_le_bytes);
        [start.as_slice(), &target, &[Call::SetPxE as u8, length]].concat()
    }

    fn complaint(sites: &[u8], detours: &[u8]) -> String {
        read(&image(sites, detours)).unwrap_err().to_string()
    }

    #[test]
    fn records_tell_of_sites_and_detours() {
        let patches = read(&image(&site_record(8), &detour_record(16, 24, 6))).unwrap();
        let expected = [
            (Kind::Site, Call::SetCR3, 8..13),
            (Kind::Detour { target: 24 }, Call::SetPxE, 16..22),
        ];
        let found: Vec<_> = patches
            .iter()
            .map(|patch| (patch.kind, patch.call, patch.range.clone()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_image_without_tables_has_no_places() {
        let image = crate::audit::image::sample::image(&[("f", &|a| a.nop().unwrap())]);
        assert_eq!(read(&image).unwrap(), []);
    }

    #[test]
    fn broken_tables_are_refused_by_name() {
        assert!(complaint(&[0; 4], &[]).contains("no records of 5"));
        assert!(complaint(&[0, 0, 0, 0, 99], &[]).contains("call 99"));
        assert!(complaint(&site_record(30), &[]).contains("not in the code"));
        assert!(complaint(&site_record(-1000), &[]).contains("not in the code"));
        assert!(complaint(&[], &detour_record(0, 1000, 6)).contains("does not lead there"));
        assert!(complaint(&[], &detour_record(0, 8, 4)).contains("no room for a jump"));
        assert!(complaint(&site_record(8), &detour_record(12, 24, 6)).contains("overlaps"));
    }
}
