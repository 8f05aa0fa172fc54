//! Splitting off what only debuggers read.
//!
//! Everything a machine loads must stay exactly as the linker wrote it, at the same place in the file: the program
//! headers, the notes, the segments. Debug information and symbols lie behind that, so the file is cut there, and a
//! shorter table of sections is appended. It stays at all because the boot loader of the disk images looks one section
//! up by name. What remains is about a tenth of what the linker wrote.

use anyhow::{Context, Result};
use object::elf::{
    FileHeader64, SHF_ALLOC, SHT_NOBITS, SHT_NULL, SHT_STRTAB, SectionFlags, SectionHeader64, SymbolSection,
};
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, U16, U32, U64, pod};

/// The name of the section that has the names.
const NAMES: &str = ".shstrtab";

/// The ELF file `image` without debug information and symbols.
///
/// # Errors
/// It is no 64-bit ELF file, or its tables contradict its length.
pub fn stripped(image: &[u8]) -> Result<Vec<u8>> {
    let header = FileHeader64::<Endianness>::parse(image)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, image)?;
    let mut table = Table {
        endian,
        names: vec![0],
        headers: vec![nothing(endian)],
    };
    let mut end = header.e_phoff(endian) + u64::from(header.e_phentsize(endian)) * u64::from(header.e_phnum(endian));
    for section in sections
        .iter()
        .filter(|section| section.sh_flags(endian).contains(SHF_ALLOC))
    {
        table.keep(section, sections.section_name(endian, section)?)?;
        if section.sh_type(endian) != SHT_NOBITS {
            end = end.max(section.sh_offset(endian) + section.sh_size(endian));
        }
    }
    let loaded = image
        .get(..usize::try_from(end)?)
        .context("a section reaches beyond the end of the file")?;
    table.append_to(loaded.to_vec())
}

/// A table of sections that is being made.
struct Table {
    endian: Endianness,
    /// The names, each ended by a zero.
    names: Vec<u8>,
    headers: Vec<SectionHeader64<Endianness>>,
}

impl Table {
    /// Takes over one section; what it says about other sections by number no longer holds and goes.
    fn keep(&mut self, section: &SectionHeader64<Endianness>, name: &[u8]) -> Result<()> {
        let mut section = *section;
        section.sh_name = U32::new(self.endian, self.add_name(name)?);
        section.sh_link = U32::new(self.endian, 0);
        section.sh_info = U32::new(self.endian, 0);
        self.headers.push(section);
        Ok(())
    }

    /// Adds a name and returns its offset.
    fn add_name(&mut self, name: &[u8]) -> Result<u32> {
        let offset = u32::try_from(self.names.len())?;
        self.names.extend(name);
        self.names.push(0);
        Ok(offset)
    }

    /// Writes names and table behind `loaded` and tells the file header where they are.
    fn append_to(mut self, loaded: Vec<u8>) -> Result<Vec<u8>> {
        let mut file = loaded;
        let mut names = nothing(self.endian);
        names.sh_name = U32::new(self.endian, self.add_name(NAMES.as_bytes())?);
        names.sh_type = U32::new(self.endian, SHT_STRTAB);
        names.sh_offset = U64::new(self.endian, file.len() as u64);
        names.sh_size = U64::new(self.endian, self.names.len() as u64);
        self.headers.push(names);
        file.extend(&self.names);
        file.resize(file.len().next_multiple_of(align_of::<u64>()), 0);
        let (start, count) = (file.len() as u64, u16::try_from(self.headers.len())?);
        file.extend(pod::bytes_of_slice(&self.headers));
        let (header, _) = pod::from_bytes_mut::<FileHeader64<Endianness>>(&mut file)
            .ok()
            .context("no file header")?;
        header.e_shoff = U64::new(self.endian, start);
        header.e_shnum = U16::new(self.endian, count);
        header.e_shstrndx = U16::new(self.endian, SymbolSection(count - 1));
        Ok(file)
    }
}

/// The empty section that every table begins with.
fn nothing(endian: Endianness) -> SectionHeader64<Endianness> {
    let (zero, none) = (U32::new(endian, 0), U64::new(endian, 0));
    SectionHeader64 {
        sh_name: zero,
        sh_type: U32::new(endian, SHT_NULL),
        sh_flags: U64::new(endian, SectionFlags(0)),
        sh_addr: none,
        sh_offset: none,
        sh_size: none,
        sh_link: zero,
        sh_info: zero,
        sh_addralign: none,
        sh_entsize: none,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::{Object, ObjectSection, ObjectSegment};
    use std::fs;

    #[test]
    fn loaded_bytes_stay_and_debug_information_goes() {
        let program = fs::read(std::env::current_exe().unwrap()).unwrap();
        let smaller = stripped(&program).unwrap();
        assert!(smaller.len() < program.len());
        let (before, after) = (
            object::File::parse(&*program).unwrap(),
            object::File::parse(&*smaller).unwrap(),
        );
        assert!(after.section_by_name(".debug_info").is_none() && after.symbols().next().is_none());
        assert_eq!(before.entry(), after.entry());
        // The first segment of a program for Linux includes the file header, which names the moved section table.
        for (old, new) in before.segments().zip(after.segments()).skip(1) {
            assert_eq!((old.address(), old.size()), (new.address(), new.size()));
            assert!(old.data().unwrap() == new.data().unwrap(), "at {:#x}", old.address());
        }
    }

    #[test]
    fn loaded_sections_keep_name_and_content() {
        let program = fs::read(std::env::current_exe().unwrap()).unwrap();
        let smaller = stripped(&program).unwrap();
        let (before, after) = (
            object::File::parse(&*program).unwrap(),
            object::File::parse(&*smaller).unwrap(),
        );
        for name in [".text", ".rodata", ".data", ".bss"] {
            let (old, new) = (
                before.section_by_name(name).unwrap(),
                after.section_by_name(name).unwrap(),
            );
            assert_eq!((old.address(), old.size()), (new.address(), new.size()), "{name}");
            assert!(old.data().unwrap() == new.data().unwrap(), "{name}");
        }
    }

    #[test]
    fn malformed_files_are_refused() {
        assert!(stripped(b"#!/bin/sh").is_err());
        let program = fs::read(std::env::current_exe().unwrap()).unwrap();
        for length in [0, 16, 63, 64, 200, program.len() / 2, program.len() - 1] {
            assert!(stripped(&program[..length]).is_err(), "{length}");
        }
    }
}
