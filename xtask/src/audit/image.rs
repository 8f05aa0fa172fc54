//! The image as the audit sees it: sections, segments, functions, instructions.
//!
//! What is proved is proved on the bytes that a machine loads, so this reads the linked file and nothing of the sources. Names and
//! lines come from its own symbols and debug information; they tell a reader where to look, and never decide whether something is
//! allowed that the bytes would not show.

mod function;
#[cfg(test)]
pub mod sample;

pub use function::{Crate, DETOURS, Function};

use crate::places::{Place, Places, symbols};
use anyhow::{Context, Result, ensure};
use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic};
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SectionFlags, SegmentFlags, elf};
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// A linked kernel.
#[derive(Debug)]
pub struct Image {
    /// What the file has for sections that are loaded.
    pub sections: Vec<Stretch>,
    /// What the loader is told to load.
    pub segments: Vec<Stretch>,
    /// All functions, by ascending address. No two overlap: of several names for one address, one was chosen.
    pub functions: Vec<Function>,
    /// All symbols with a name, by that name as the file has it.
    pub symbols: BTreeMap<String, u64>,
    /// How many bytes those symbols name that say so.
    pub sizes: BTreeMap<String, u64>,
    /// Where functions begin that never return, if that cannot be told from the code any more: a jump that was put there may lead out of it.
    divergent: Option<HashSet<u64>>,
    places: Option<Places>,
}

/// A stretch of the address space: a section or a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The section's name, or the number of the segment.
    pub name: String,
    /// Its addresses.
    pub range: Range<u64>,
    /// What may be done with it.
    pub rights: Rights,
    /// Its bytes; none, or fewer than addresses, if the file has none for it.
    pub bytes: Vec<u8>,
}

/// What may be done with a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// It may be written.
    pub write: bool,
    /// It may be executed.
    pub execute: bool,
}

impl Image {
    /// Reads the image in the file `path`, whose sources are below `root`.
    ///
    /// # Errors
    /// It cannot be read, or is no linked program with symbols.
    pub fn open(path: &Path, root: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut image = Self::parse(&bytes).with_context(|| format!("cannot audit {}", path.display()))?;
        image.places = Some(Places::open(path, root)?);
        Ok(image)
    }

    /// Reads an image whose places are of no interest.
    ///
    /// # Errors
    /// It is no linked program for this processor, or has no symbols of functions.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let file = object::File::parse(bytes)?;
        ensure!(
            file.architecture() == object::Architecture::X86_64,
            "it is not for x86-64"
        );
        let image = Self {
            sections: sections(&file)?,
            segments: segments(&file)?,
            functions: function::all(&file)?,
            symbols: symbols(&file, ObjectSymbol::address),
            sizes: symbols(&file, ObjectSymbol::size),
            divergent: None,
            places: None,
        };
        ensure!(!image.functions.is_empty(), "it has no symbols of functions");
        Ok(image)
    }

    /// Puts in the place of all code what `memory` has at its addresses. Whether a function returns does not change by that.
    ///
    /// # Errors
    /// The memory does not have all of it.
    pub fn replace_code<'m>(&mut self, memory: impl Fn(Range<u64>) -> &'m [u8]) -> Result<()> {
        let starts = self.functions.iter().map(|function| function.range.start);
        self.divergent = Some(starts.filter(|start| self.diverges(*start)).collect());
        for section in self.sections.iter_mut().filter(|section| section.rights.execute) {
            let found = memory(section.range.clone());
            ensure!(
                found.len() == section.bytes.len(),
                "the memory lacks code of {}",
                section.name
            );
            section.bytes = found.to_vec();
        }
        Ok(())
    }

    /// Whether its code is what was found in a machine's memory, where nothing of it changes any more.
    pub fn is_as_booted(&self) -> bool {
        self.divergent.is_some()
    }

    /// Has nothing found in what nobody can get to: the code in `ranges` is instructions that do nothing.
    pub fn pass_over(&mut self, ranges: &[Range<u64>]) {
        const NOTHING: u8 = 0x90;
        for section in self.sections.iter_mut().filter(|section| section.rights.execute) {
            let start = section.range.start;
            for range in ranges.iter().filter(|range| section.range.contains(&range.start)) {
                section.bytes[(range.start - start) as usize..(range.end - start) as usize].fill(NOTHING);
            }
        }
    }

    /// The section of this name.
    pub fn section(&self, name: &str) -> Option<&Stretch> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The sections that hold code.
    pub fn code(&self) -> impl Iterator<Item = &Stretch> {
        self.sections.iter().filter(|section| section.rights.execute)
    }

    /// The function that `address` lies in.
    pub fn function_at(&self, address: u64) -> Option<&Function> {
        let behind = self
            .functions
            .partition_point(|function| function.range.start <= address);
        let function = self.functions[..behind].last()?;
        function.range.contains(&address).then_some(function)
    }

    /// The bytes at `range`, as far as the file has them.
    pub fn bytes(&self, range: Range<u64>) -> &[u8] {
        let section = self
            .sections
            .iter()
            .find(|section| section.range.contains(&range.start));
        section
            .and_then(|section| {
                let start = (range.start - section.range.start) as usize;
                section.bytes.get(start..start + (range.end - range.start) as usize)
            })
            .unwrap_or_default()
    }

    /// Whether `address` may be written: what the loader is told counts, and where no segment tells, the section.
    pub fn is_writable(&self, address: u64) -> bool {
        let holds = |stretch: &&Stretch| stretch.range.contains(&address);
        let segment = self.segments.iter().find(holds);
        let told = segment.or_else(|| self.sections.iter().find(holds));
        told.is_none_or(|stretch| stretch.rights.write)
    }

    /// The instructions of `function`, in 64-bit mode.
    pub fn instructions(&self, function: &Function) -> Vec<Instruction> {
        decode(function.range.start, self.bytes(function.range.clone()))
    }

    /// What is behind an instruction that does not exist, if it is Xen's prefix for forced emulation.
    pub fn behind_prefix(&self, instruction: &Instruction) -> Option<u64> {
        let (letters, behind) = (instruction.next_ip(), instruction.next_ip() + LETTERS.len() as u64);
        let is_prefix = instruction.mnemonic() == Mnemonic::Ud2 && self.bytes(letters..behind) == LETTERS;
        is_prefix.then_some(behind)
    }

    /// Whether the function at `address` never returns: it has no return, and jumps to no other function that may.
    pub fn diverges(&self, address: u64) -> bool {
        match (&self.divergent, self.function_at(address)) {
            (Some(known), Some(function)) => known.contains(&function.range.start),
            _ => self.diverges_beside(address, &mut Vec::new()),
        }
    }

    /// The same, if those that are being looked at do not return.
    fn diverges_beside(&self, address: u64, looked_at: &mut Vec<u64>) -> bool {
        let Some(function) = self.function_at(address) else {
            return false;
        };
        if looked_at.contains(&function.range.start) {
            return true;
        }
        looked_at.push(function.range.start);
        let mut leaves = |each: &Instruction| match each.flow_control() {
            FlowControl::Return | FlowControl::IndirectBranch => true,
            FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch => {
                let target = each.near_branch_target();
                !function.range.contains(&target) && !self.diverges_beside(target, looked_at)
            }
            _ => false,
        };
        !self.instructions(function).iter().any(&mut leaves)
    }

    /// All instructions of all functions, each with its function.
    pub fn all_instructions(&self) -> impl Iterator<Item = (&Function, Instruction)> {
        self.functions.iter().flat_map(|function| {
            self.instructions(function)
                .into_iter()
                .map(move |each| (function, each))
        })
    }

    /// Where `address` comes from in the source: the calls that were inlined there, innermost first, the function itself last.
    /// Empty if the image does not say.
    pub fn places(&self, address: u64) -> Vec<Place> {
        self.places
            .as_ref()
            .map(|places| places.at(address))
            .unwrap_or_default()
    }
}

/// What follows the instruction that does not exist in Xen's prefix for forced emulation (public header `arch-x86/xen.h`,
/// `XEN_EMULATE_PREFIX`).
pub const LETTERS: &[u8] = b"xen";

/// The instructions in `bytes`, which lie at `address`.
///
/// The three [`LETTERS`] in Xen's prefix for forced emulation are no code and left out.
pub fn decode(address: u64, bytes: &[u8]) -> Vec<Instruction> {
    let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
    let mut instructions = Vec::new();
    while decoder.can_decode() {
        let instruction = decoder.decode();
        let behind = decoder.position();
        let is_prefix = instruction.mnemonic() == Mnemonic::Ud2 && bytes[behind..].starts_with(LETTERS);
        if is_prefix && decoder.set_position(behind + LETTERS.len()).is_ok() {
            decoder.set_ip(instruction.next_ip() + LETTERS.len() as u64);
        }
        instructions.push(instruction);
    }
    instructions
}

fn sections(file: &object::File<'_>) -> Result<Vec<Stretch>> {
    let mut sections = Vec::new();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        if !sh_flags.contains(elf::SHF_ALLOC) {
            continue;
        }
        sections.push(Stretch {
            name: section.name()?.to_owned(),
            range: section.address()..section.address() + section.size(),
            rights: Rights {
                write: sh_flags.contains(elf::SHF_WRITE),
                execute: sh_flags.contains(elf::SHF_EXECINSTR),
            },
            bytes: section.data()?.to_vec(),
        });
    }
    Ok(sections)
}

fn segments(file: &object::File<'_>) -> Result<Vec<Stretch>> {
    let mut segments = Vec::new();
    for (number, segment) in file.segments().enumerate() {
        let SegmentFlags::Elf { p_flags, .. } = segment.flags() else {
            continue;
        };
        segments.push(Stretch {
            name: format!("segment {number}"),
            range: segment.address()..segment.address() + segment.size(),
            rights: Rights {
                write: p_flags.contains(elf::PF_W),
                execute: p_flags.contains(elf::PF_X),
            },
            bytes: segment.data()?.to_vec(),
        });
    }
    Ok(segments)
}

#[cfg(test)]
mod tests;
