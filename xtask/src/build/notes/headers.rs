//! What loaders read of an image: notes, segments, entry, configuration.
//!
//! The checks beside this file compare what an image says at one place with what it says at another, so all of it is read here, once,
//! and as the loaders do it: from program headers. Only the `bootloader` crate looks for a section.

use super::segments::Segment;
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, read};

/// The owner of all notes that matter here.
pub const OWNER: &[u8] = b"Xen";

/// Where the `bootloader` crate looks.
pub const CONFIGURATION: &str = ".bootloader-config";

/// What an image says of itself.
#[derive(Debug)]
pub struct Headers {
    /// Type and value of each note.
    pub notes: Vec<(u32, Vec<u8>)>,
    /// Whether the notes' program header is aligned to four, as QEMU requires.
    pub aligned: bool,
    /// The loaded segments.
    pub segments: Vec<Segment>,
    /// The entry in the ELF header, a virtual address.
    pub entry: u64,
    /// What the `bootloader` crate finds; nothing if the section is empty or missing.
    pub configuration: Vec<u8>,
    /// How long the file is.
    pub length: u64,
}

impl Headers {
    /// Reads the ELF file `image`.
    pub fn read(image: &[u8]) -> read::Result<Self> {
        let header = FileHeader64::<Endianness>::parse(image)?;
        let endian = header.endian()?;
        let sections = header.sections(endian, image)?;
        let mut headers = Self {
            notes: Vec::new(),
            aligned: true,
            segments: Vec::new(),
            entry: header.e_entry(endian),
            configuration: Vec::new(),
            length: image.len() as u64,
        };
        for segment in header.program_headers(endian, image)? {
            match segment.p_type(endian) {
                elf::PT_LOAD => headers.segments.push(Segment::of(segment, endian)),
                elf::PT_NOTE => headers.add_notes(segment, endian, image)?,
                _ => {}
            }
        }
        if let Some((_, section)) = sections.section_by_name(endian, CONFIGURATION.as_bytes()) {
            headers.configuration = section.data(endian, image)?.to_vec();
        }
        Ok(headers)
    }

    /// Takes the notes that one program header leads to.
    fn add_notes(
        &mut self,
        segment: &ProgramHeader64<Endianness>,
        endian: Endianness,
        image: &[u8],
    ) -> read::Result<()> {
        self.aligned &= segment.p_align(endian) == 4;
        let Some(mut list) = segment.notes(endian, image)? else {
            return Ok(());
        };
        while let Some(note) = list.next()? {
            if note.name() == OWNER {
                self.notes.push((note.n_type(endian).0, note.desc().to_vec()));
            }
        }
        Ok(())
    }

    /// The value of the note of type `kind`.
    pub fn value(&self, kind: u32) -> Option<&[u8]> {
        let note = self.notes.iter().find(|(found, _)| *found == kind);
        note.map(|(_, value)| value.as_slice())
    }

    /// The value of the note of type `kind` as a number of eight bytes.
    pub fn number(&self, kind: u32) -> Option<u64> {
        self.value(kind)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// The bits that the note of type `kind` sets, in four bytes or eight: Xen takes either.
    pub fn bits(&self, kind: u32) -> Option<u64> {
        let short = || self.value(kind)?.try_into().ok().map(u32::from_le_bytes);
        self.number(kind).or_else(|| short().map(u64::from))
    }
}
