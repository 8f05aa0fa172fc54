//! The table of an image for several platforms: which places the entry of Xen patches, and what each becomes.
//!
//! The kernel computes what it writes, and looks afterwards whether that is there (`subarch-paravirt/src/several/table.rs`). A mistake
//! in the computation would pass. So it is all computed here once more, from the file and by code that shares nothing with the kernel's.

use crate::audit::image::{Image, decode};
use crate::build::paravirt_sites::{RECORD_SIZE, Record};
use anyhow::{Context, Result, ensure};
use iced_x86::{Instruction, OpKind};
use std::ops::Range;

/// What a branch is as compiled.
const NOP: [u8; 5] = [0x0f, 0x1f, 0x44, 0, 0];

/// What stands before an instruction that is a branch as well.
const PREFIXES: [u8; 2] = [0x2e; 2];
/// The first byte of a jump, before its distance.
const JUMP: u8 = 0xe9;
/// What an alternative is preceded by that is one byte shorter than its site.
const PREFIX: u8 = 0x2e;
/// Marks the length of an alternative whose last four bytes are a distance from its end, which is another where it is put.
const MOVED: u8 = 0x80;

/// A place that is patched under Xen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its addresses.
    pub range: Range<u64>,
    /// What it is.
    pub kind: Kind,
    /// What stands there under Xen.
    pub becomes: Vec<u8>,
    /// How many bytes of the table tell of it.
    pub record: usize,
}

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An instruction that does nothing and becomes a jump.
    Branch {
        /// Where it leads.
        target: u64,
    },
    /// An instruction of the bare machine's that becomes a jump.
    Detour {
        /// Where it leads.
        target: u64,
    },
    /// Instructions that become others.
    Alternative,
}

impl Site {
    /// What is left, behind a jump, of the instruction of `image` that it took the place of: nobody gets there.
    pub fn remains(&self, image: &Image) -> Range<u64> {
        /// The bytes of an instruction and a jump, at the most.
        const REACH: u64 = 20;
        let end = self.range.end;
        let compiled = decode(
            self.range.start,
            image.bytes(self.range.start..self.range.start + REACH),
        );
        let behind = compiled.iter().map(Instruction::next_ip).find(|next| *next >= end);
        end..behind.unwrap_or(end)
    }
}

/// What the `records` of `image` tell of, by ascending address.
///
/// # Errors
/// A site is not in the code, not as it should be compiled, or not behind the one before it; or it becomes something that is not in
/// the image, does not fit, or leads out of the code.
pub fn read(image: &Image, records: &[Record]) -> Result<Vec<Site>> {
    let sites: Vec<_> = records
        .iter()
        .map(|record| site(image, *record))
        .collect::<Result<_>>()?;
    for pair in sites.windows(2) {
        ensure!(
            pair[0].range.end <= pair[1].range.start,
            "the site at {:#x} is not behind the one at {:#x}",
            pair[1].range.start,
            pair[0].range.start
        );
    }
    Ok(sites)
}

/// The site that `record` tells of.
fn site(image: &Image, record: Record) -> Result<Site> {
    let site = if is_code(image, record.becomes) {
        branch(image, record)
    } else {
        alternative(image, record)
    };
    let site = site.with_context(|| format!("the site at {:#x}", record.site))?;
    ensure!(
        is_code(image, site.range.start) && is_code(image, site.range.end - 1),
        "the site at {:#x} is not in the code",
        record.site
    );
    let strays =
        |each: &Instruction| each.op0_kind() == OpKind::NearBranch64 && !is_code(image, each.near_branch_target());
    ensure!(
        !decode(record.site, &site.becomes).iter().any(strays),
        "the site at {:#x} would lead out of the code",
        record.site
    );
    Ok(site)
}

/// A site that becomes a jump to what `record` names.
fn branch(image: &Image, record: Record) -> Result<Site> {
    let range = record.site..record.site + NOP.len() as u64;
    let compiled = image.bytes(range.clone());
    ensure!(
        compiled == NOP || compiled.starts_with(&PREFIXES),
        "it is not compiled as a branch: {compiled:02x?}"
    );
    let target = record.becomes;
    let distance = i32::try_from(target.wrapping_sub(range.end).cast_signed()).context("it leads too far away")?;
    Ok(Site {
        range,
        kind: match compiled == NOP {
            true => Kind::Branch { target },
            false => Kind::Detour { target },
        },
        becomes: [&[JUMP], distance.to_le_bytes().as_slice()].concat(),
        record: RECORD_SIZE,
    })
}

/// A site that becomes the bytes that `record` names, behind its own length and theirs.
fn alternative(image: &Image, record: Record) -> Result<Site> {
    let lengths = image.bytes(record.becomes..record.becomes + 2);
    let [length, marked] = lengths.try_into().context("it becomes what is not in the image")?;
    let own = marked & !MOVED;
    let end = record.becomes + 2 + u64::from(own);
    let bytes = image.bytes(record.becomes + 2..end);
    let mut becomes = match length.checked_sub(own) {
        Some(0) => bytes.to_vec(),
        Some(1) => [&[PREFIX], bytes].concat(),
        _ => Vec::new(),
    };
    if marked != own {
        let moved = record.site + u64::from(length);
        let distance = becomes.last_chunk_mut().context("it has no room for a distance")?;
        let target = end.wrapping_add_signed(i32::from_le_bytes(*distance).into());
        *distance = (target.wrapping_sub(moved) as i32).to_le_bytes();
    }
    ensure!(
        length > 0 && becomes.len() == usize::from(length),
        "it has {length} bytes, and what it becomes {own}"
    );
    Ok(Site {
        range: record.site..record.site + u64::from(length),
        kind: Kind::Alternative,
        becomes,
        record: RECORD_SIZE,
    })
}

fn is_code(image: &Image, address: u64) -> bool {
    image.code().any(|section| section.range.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::image::sample::file;
    use crate::failure::explain;
    use iced_x86::code_asm::CodeAssembler;
    use object::SectionKind;

    /// An image with a branch at 0 and `cli` behind eight prefixes at 8, and `constant` at 64; sections of an object all begin at 0,
    /// so what is before is filled.
    fn image(constant: &[u8]) -> Image {
        let code = [NOP.as_slice(), &[0x90; 3], &[0x2e; 8], &[0xfa], &[0x90; 15]].concat();
        let constants = [[0; 64].as_slice(), constant].concat();
        let write: &dyn Fn(&mut CodeAssembler) = &|a| a.db(&code).unwrap();
        let sections = [(".rodata", SectionKind::ReadOnlyData, constants.as_slice())];
        Image::parse(&file(&[("code", write)], &sections)).unwrap()
    }

    /// `mov byte ptr gs:[1], 1`.
    const MASK: [u8; 9] = [0x65, 0xc6, 0x04, 0x25, 1, 0, 0, 0, 1];

    fn record(site: u64, becomes: u64) -> Record {
        Record { site, becomes }
    }

    /// Why these records are refused beside this constant.
    fn complaint(constant: &[u8], records: &[Record]) -> String {
        explain(&read(&image(constant), records).unwrap_err())
    }

    #[test]
    fn a_branch_becomes_a_jump_and_an_alternative_its_bytes() {
        let constant = [[9, 9].as_slice(), &MASK].concat();
        let sites = read(&image(&constant), &[record(0, 16), record(8, 64)]).unwrap();
        let jump = Site {
            range: 0..5,
            kind: Kind::Branch { target: 16 },
            becomes: vec![0xe9, 11, 0, 0, 0],
            record: 8,
        };
        let instruction = Site {
            range: 8..17,
            kind: Kind::Alternative,
            becomes: MASK.to_vec(),
            record: 8,
        };
        assert_eq!(sites, [jump, instruction]);
    }

    #[test]
    fn what_remains_of_an_instruction_behind_a_jump_is_known() {
        let image = image(&[]);
        let site = |range: Range<u64>| Site {
            range,
            kind: Kind::Branch { target: 0 },
            becomes: vec![0xe9, 0, 0, 0, 0],
            record: 8,
        };
        assert_eq!(site(0..5).remains(&image), 5..5);
        assert_eq!(site(8..13).remains(&image), 13..17);
    }

    #[test]
    fn what_lacks_a_prefix_gets_one_in_front() {
        let sites = read(&image(&[3, 2, 0x89, 0xc8]), &[record(8, 64)]).unwrap();
        assert_eq!(
            (sites[0].range.clone(), sites[0].becomes.as_slice()),
            (8..11, [0x2e, 0x89, 0xc8].as_slice())
        );
    }

    #[test]
    fn a_distance_is_that_of_the_same_target_from_the_site() {
        // At 64 + 2 + 7 = 73 it leads to 20, from the end of the site at 15.
        let distance = (20_i32 - 73).to_le_bytes();
        let constant = [[7, 0x87, 0x90].as_slice(), &[0x0f, 0x85], &distance].concat();
        let sites = read(&image(&constant), &[record(8, 64)]).unwrap();
        assert_eq!(sites[0].becomes, [0x90, 0x0f, 0x85, 5, 0, 0, 0]);
    }

    #[test]
    fn a_jump_backwards_has_a_negative_distance() {
        let code: &dyn Fn(&mut CodeAssembler) = &|a| {
            a.db(&[0x90; 16]).unwrap();
            a.db(&NOP).unwrap();
        };
        let image = Image::parse(&file(&[("code", code)], &[])).unwrap();
        assert_eq!(
            read(&image, &[record(16, 1)]).unwrap()[0].becomes,
            [0xe9, 0xec, 0xff, 0xff, 0xff]
        );
    }

    #[test]
    fn broken_records_are_refused_by_name() {
        assert!(complaint(&[], &[record(5, 16)]).starts_with("the site at 0x5: it is not compiled as a branch"));
        assert!(complaint(&[], &[record(8, 1000)]).contains("not in the image"));
        assert!(
            complaint(&[9, 7, 0, 0, 0, 0, 0, 0, 0], &[record(8, 64)]).contains("has 9 bytes, and what it becomes 7")
        );
        assert!(complaint(&[2, 3, 0, 0, 0], &[record(8, 64)]).contains("has 2 bytes, and what it becomes 3"));
        assert!(complaint(&[2, 2, 0], &[record(8, 64)]).contains("has 2 bytes"));
        assert!(complaint(&[2, 2, 0x90, 0x90], &[record(31, 64)]).contains("not in the code"));
        assert!(complaint(&[], &[record(0, 16), record(0, 16)]).contains("not behind the one at 0x0"));
        assert!(complaint(&[2, 2, 0xeb, 0x7f], &[record(8, 64)]).contains("would lead out of the code"));
        assert!(complaint(&[3, 0x83, 0x90, 0x90, 0x90], &[record(8, 64)]).contains("no room for a distance"));
        let away = [6, 0x86, 0x0f, 0x85, 0, 0, 0, 0];
        assert!(complaint(&away, &[record(8, 64)]).contains("would lead out of the code"));
    }
}
