//! How big an image is, in the three numbers that kernels have been measured by since the first Unix.

use anyhow::Result;
use object::read::elf::{ElfFile64, SectionHeader};
use object::{Endianness, elf};
use std::fmt;

/// The sizes of an image in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Code and constants: loaded, never written.
    pub text: u64,
    /// Variables with a value: loaded, writable.
    pub data: u64,
    /// Variables that start as zero, stacks, heap: not in the file.
    pub bss: u64,
    /// The file as a whole.
    pub file: u64,
}

/// Adds up the sections of the ELF file `image`.
pub fn of(image: &[u8]) -> Result<Sizes> {
    let file = ElfFile64::<Endianness>::parse(image)?;
    let endian = file.endian();
    let mut sizes = Sizes {
        file: image.len() as u64,
        ..Sizes::default()
    };
    for section in file.elf_section_table().iter() {
        let flags = section.sh_flags(endian);
        let size = section.sh_size(endian);
        if !flags.contains(elf::SHF_ALLOC) {
            continue;
        } else if section.sh_type(endian) == elf::SHT_NOBITS {
            sizes.bss += size;
        } else if flags.contains(elf::SHF_WRITE) {
            sizes.data += size;
        } else {
            sizes.text += size;
        }
    }
    Ok(sizes)
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, data, bss, file } = *self;
        write!(f, "text {text}, data {data}, bss {bss}, file {file} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_real_program_has_all_three() {
        let program = fs::read(std::env::current_exe().unwrap()).unwrap();
        let sizes = of(&program).unwrap();
        assert!(sizes.text > 0 && sizes.data > 0 && sizes.bss > 0, "{sizes}");
        assert!(sizes.text + sizes.data < sizes.file);
    }

    #[test]
    fn what_is_no_elf_file_is_refused() {
        assert!(of(b"").is_err());
        assert!(of(b"\x7fELF and then nothing of the kind").is_err());
    }
}
