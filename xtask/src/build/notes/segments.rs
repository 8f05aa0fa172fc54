//! Whether an image's segments can be loaded as it says, each with rights of its own.
//!
//! Loaders copy and map whole pages and check little. Where two segments share a page, the second takes the first one's bytes or
//! rights away; where virtual and physical addresses are at another distance than the kernel thinks, every address that it computes
//! is wrong, from its first page table on.

use super::IMAGE_BASE;
use super::headers::Headers;
use object::Endianness;
use object::elf::{self, ProgramHeader64};
use object::read::elf::ProgramHeader;
use std::ops::Range;

/// The size of a page.
const PAGE: u64 = 0x1000;

/// A loaded segment, as its program header has it.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// Its virtual address.
    virtual_start: u64,
    /// Its physical address.
    physical_start: u64,
    /// Where it is in the file.
    offset: u64,
    /// Its size in memory, in bytes.
    size: u64,
    /// How much of that is in the file.
    size_in_file: u64,
    /// What its address in memory and its place in the file are equal by.
    alignment: u64,
    /// Whether it may be executed.
    pub executable: bool,
}

impl Segment {
    /// What `header` says.
    pub fn of(header: &ProgramHeader64<Endianness>, endian: Endianness) -> Self {
        Self {
            virtual_start: header.p_vaddr(endian),
            physical_start: header.p_paddr(endian),
            offset: header.p_offset(endian),
            size: header.p_memsz(endian),
            size_in_file: header.p_filesz(endian),
            alignment: header.p_align(endian),
            executable: header.p_flags(endian).contains(elf::PF_X),
        }
    }

    /// Its virtual addresses.
    pub fn virtually(&self) -> Range<u64> {
        self.virtual_start..self.virtual_start.saturating_add(self.size)
    }

    /// The numbers of its pages.
    fn pages(&self) -> Range<u64> {
        let addresses = self.virtually();
        addresses.start / PAGE..addresses.end.div_ceil(PAGE)
    }

    /// What is wrong with it in a file of `length` bytes.
    fn complaints(&self, length: u64) -> Vec<String> {
        let end = self.offset.saturating_add(self.size_in_file);
        let is_whole = self.alignment.is_power_of_two() && self.alignment.is_multiple_of(PAGE);
        let distance = self.virtual_start.wrapping_sub(self.physical_start);
        let checks = [
            (self.size_in_file > self.size, "has more in the file than in memory"),
            (end > length, "reaches beyond the end of the file"),
            (!self.virtual_start.is_multiple_of(PAGE), "does not begin with a page"),
            (!is_whole, "is not aligned to pages"),
            (
                is_whole && self.virtual_start % self.alignment != self.offset % self.alignment,
                "is not at the same place of a page in file and memory",
            ),
            (
                distance != IMAGE_BASE,
                "is not as far above its physical address as the kernel takes it to be",
            ),
        ];
        let broken = checks.iter().filter(|(is_broken, _)| *is_broken);
        broken
            .map(|(_, what)| {
                format!(
                    "the segment at {:#x} (physical {:#x}) {what}",
                    self.virtual_start, self.physical_start
                )
            })
            .collect()
    }
}

/// What is wrong with each segment, and with those that begin in a page of the one before.
pub fn complaints(headers: &Headers) -> Vec<String> {
    let mut complaints: Vec<String> = headers
        .segments
        .iter()
        .flat_map(|segment| segment.complaints(headers.length))
        .collect();
    let mut pages: Vec<Range<u64>> = headers.segments.iter().map(Segment::pages).collect();
    pages.sort_by_key(|range| range.start);
    let sharing = pages.windows(2).filter(|pair| pair[0].end > pair[1].start);
    complaints.extend(sharing.map(|pair| format!("two segments share the page at {:#x}", pair[1].start * PAGE)));
    complaints
}
