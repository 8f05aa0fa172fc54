//! One piece of a program in memory.

use super::super::access::UserAccess;
use super::super::regions::LOWEST;
use super::{ElfError, ProgramHeader};
use alloc::vec::Vec;
use arch::layout::{PAGE_SIZE, USER_END};
use core::ops::Range;
use object::LittleEndian;
use object::elf::{self, ProgramFlags};
use object::read::ReadRef;

/// Memory that a program wants to find filled when it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment<'a> {
    /// The address of its first byte, which need not be a page's.
    pub address: u64,
    /// The bytes that it begins with; the others are zero.
    pub bytes: &'a [u8],
    /// How many bytes it has in all; at least one, and as many as [`bytes`](Self::bytes).
    pub memory_size: u64,
    /// What the program may do with it: never both write and execute.
    pub access: UserAccess,
}

impl Segment<'_> {
    /// The pages that the segment lies on, by addresses. No other segment has bytes there.
    pub fn pages(&self) -> Range<u64> {
        let start = self.address - self.address % PAGE_SIZE;
        start..(self.address + self.memory_size).next_multiple_of(PAGE_SIZE)
    }

    pub(super) fn may_begin_at(&self, entry: u64) -> bool {
        let memory = self.address..self.address + self.memory_size;
        self.access.contains(UserAccess::EXECUTE) && memory.contains(&entry)
    }
}

/// Whether the header is that of a segment which has memory.
pub(super) fn is_loadable(header: &ProgramHeader) -> bool {
    header.p_type.get(LittleEndian) == elf::PT_LOAD && header.p_memsz.get(LittleEndian) > 0
}

/// All segments in a table of program headers.
pub(super) fn all<'a>(file: &'a [u8], table: &[ProgramHeader]) -> Result<Vec<Segment<'a>>, ElfError> {
    let loads = table
        .iter()
        .filter(|header| header.p_type.get(LittleEndian) == elf::PT_LOAD);
    let mut segments: Vec<Segment<'a>> = Vec::new();
    for header in loads {
        let Some(segment) = read(file, header)? else {
            continue;
        };
        if let Some(before) = segments.last() {
            check_neighbours(before, &segment)?;
        }
        segments.push(segment);
    }
    if segments.is_empty() {
        return Err(ElfError::NoSegment);
    }
    Ok(segments)
}

/// The segment that `header` describes; `None` if it has no memory.
fn read<'a>(file: &'a [u8], header: &ProgramHeader) -> Result<Option<Segment<'a>>, ElfError> {
    let [offset, size, address, memory_size] =
        [header.p_offset, header.p_filesz, header.p_vaddr, header.p_memsz].map(|field| field.get(LittleEndian));
    if size > memory_size {
        return Err(ElfError::LargerThanItsMemory { size, memory_size });
    }
    let Ok(bytes) = file.read_bytes_at(offset, size) else {
        return Err(ElfError::SegmentOutside { offset, size });
    };
    if !is_loadable(header) {
        return Ok(None);
    }
    let fits = address.checked_add(memory_size).is_some_and(|end| end <= USER_END);
    if address < LOWEST || !fits {
        return Err(ElfError::OutOfBounds { address, memory_size });
    }
    let access = access(header.p_flags.get(LittleEndian));
    if access.is_write_and_execute() {
        return Err(ElfError::WriteAndExecute(address));
    }
    Ok(Some(Segment {
        address,
        bytes,
        memory_size,
        access,
    }))
}

fn check_neighbours(before: &Segment<'_>, segment: &Segment<'_>) -> Result<(), ElfError> {
    if segment.address < before.address {
        return Err(ElfError::OutOfOrder(segment.address));
    }
    if segment.pages().start < before.pages().end {
        return Err(ElfError::SharesPage(segment.address));
    }
    Ok(())
}

fn access(flags: ProgramFlags) -> UserAccess {
    let right = |flag, access| {
        if flags.contains(flag) {
            access
        } else {
            UserAccess::empty()
        }
    };
    right(elf::PF_R, UserAccess::READ) | right(elf::PF_W, UserAccess::WRITE) | right(elf::PF_X, UserAccess::EXECUTE)
}
