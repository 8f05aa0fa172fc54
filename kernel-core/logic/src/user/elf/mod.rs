//! Executable files: what a program wants to have in memory, and where it wants to begin.
//!
//! A file comes from somebody else, so it is read as if he were an enemy. Each number in it is checked before it is used, and each
//! refusal has a name and the offending number. What comes out, a [`Program`], can be loaded without another question: its
//! segments lie where programs may live, in ascending order, no two of them on one page, none both writable and executable.
//!
//! Only static executables with fixed addresses are accepted. Segments are copied, not mapped from the file, so that their
//! alignment in the file does not matter. The formats: *System V ABI*, ch. 4 and 5, read by the `object` crate.

mod error;
mod segment;

use alloc::vec::Vec;
pub use error::ElfError;
use object::LittleEndian;
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::ReadRef;
pub use segment::Segment;

/// How many program headers a file may have. Linkers make about ten.
pub const MAX_HEADERS: u16 = 128;

/// A program that may be loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program<'a> {
    /// The address of its first instruction, in an executable segment.
    pub entry: u64,
    /// What it wants in memory, by ascending addresses. There is at least one.
    pub segments: Vec<Segment<'a>>,
    /// Where it finds its own program headers.
    pub headers: ProgramHeaders,
}

/// What a program is told of its program headers, by which its run-time library finds the thread-local storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProgramHeaders {
    /// Their address in memory ([`AT_PHDR`](super::auxiliary::AT_PHDR)); `None` if no segment holds them.
    pub address: Option<u64>,
    /// The size of each in bytes ([`AT_PHENT`](super::auxiliary::AT_PHENT)).
    pub entry_size: u64,
    /// How many there are ([`AT_PHNUM`](super::auxiliary::AT_PHNUM)).
    pub count: u64,
}

type FileHeader = FileHeader64<LittleEndian>;
type ProgramHeader = ProgramHeader64<LittleEndian>;

const ENTRY_SIZE: u16 = size_of::<ProgramHeader>() as u16;

/// Reads an executable file.
///
/// Headers of kinds that are not mentioned in [`ElfError`] are of no concern to a kernel, and ignored.
///
/// # Errors
/// [`ElfError`] says by name why it cannot be run.
pub fn parse(file: &[u8]) -> Result<Program<'_>, ElfError> {
    let header = file_header(file)?;
    let table = header_table(file, header)?;
    check_kind(header, table)?;
    let segments = segment::all(file, table)?;
    let entry = header.e_entry.get(LittleEndian);
    if !segments.iter().any(|segment| segment.may_begin_at(entry)) {
        return Err(ElfError::EntryNotExecutable(entry));
    }
    let headers = ProgramHeaders {
        address: address_of(header.e_phoff.get(LittleEndian), size_of_val(table) as u64, table),
        entry_size: ENTRY_SIZE.into(),
        count: table.len() as u64,
    };
    Ok(Program {
        entry,
        segments,
        headers,
    })
}

/// The header at the start, if it is that of a file for this machine.
fn file_header(file: &[u8]) -> Result<&FileHeader, ElfError> {
    if !file.starts_with(&elf::ELFMAG) {
        return Err(ElfError::NotElf);
    }
    let header: &FileHeader = file.read_at(0).map_err(|()| ElfError::Truncated(file.len()))?;
    let (ident, machine) = (&header.e_ident, header.e_machine.get(LittleEndian));
    match (ident.class, ident.data, machine) {
        (class, _, _) if class != elf::ELFCLASS64 => Err(ElfError::WrongClass(class.0)),
        (_, data, _) if data != elf::ELFDATA2LSB => Err(ElfError::WrongByteOrder(data.0)),
        (_, _, machine) if machine != elf::EM_X86_64 => Err(ElfError::WrongMachine(machine.0)),
        _ => Ok(header),
    }
}

/// The program headers, as many as the file header says.
fn header_table<'a>(file: &'a [u8], header: &FileHeader) -> Result<&'a [ProgramHeader], ElfError> {
    let (offset, count) = (header.e_phoff.get(LittleEndian), header.e_phnum.get(LittleEndian));
    match header.e_phentsize.get(LittleEndian) {
        _ if count == 0 => Err(ElfError::NoSegment),
        _ if count > MAX_HEADERS => Err(ElfError::TooManyHeaders(count)),
        ENTRY_SIZE => file
            .read_slice_at(offset, count.into())
            .map_err(|()| ElfError::HeadersOutside { offset, count }),
        size => Err(ElfError::WrongHeaderSize(size)),
    }
}

/// Whether it is a program that needs nobody else, neither an interpreter nor an executable stack.
fn check_kind(header: &FileHeader, table: &[ProgramHeader]) -> Result<(), ElfError> {
    let has = |kind| table.iter().find(|entry| entry.p_type.get(LittleEndian) == kind);
    let stack = has(elf::PT_GNU_STACK).map(|stack| stack.p_flags.get(LittleEndian));
    match header.e_type.get(LittleEndian) {
        elf::ET_EXEC | elf::ET_DYN if has(elf::PT_INTERP).is_some() => Err(ElfError::DynamicallyLinked),
        elf::ET_DYN => Err(ElfError::PositionIndependent),
        elf::ET_EXEC if stack.is_some_and(|flags| flags.contains(elf::PF_X)) => Err(ElfError::ExecutableStack),
        elf::ET_EXEC => Ok(()),
        kind => Err(ElfError::WrongType(kind.0)),
    }
}

/// The address at which the `size` bytes of the file from `offset` on are loaded, if one segment holds them all.
fn address_of(offset: u64, size: u64, table: &[ProgramHeader]) -> Option<u64> {
    table
        .iter()
        .filter(|entry| segment::is_loadable(entry))
        .find_map(|entry| {
            let within = offset.checked_sub(entry.p_offset.get(LittleEndian))?;
            let holds = within.checked_add(size)? <= entry.p_filesz.get(LittleEndian);
            holds.then(|| entry.p_vaddr.get(LittleEndian) + within)
        })
}

#[cfg(test)]
mod tests;
