//! Whether an image's segments are what a loader can load, and agree with what the notes say about them.
//!
//! Loaders check little of this themselves. Xen copies a segment whose addresses disagree with the notes to where nobody looks for it, and
//! an entry in data is a triple fault.

use super::{ENTRY, Notes, PADDR_OFFSET, PHYS32_ENTRY, VIRT_BASE};
use std::ops::Range;

/// The size of a page.
const PAGE: u64 = 0x1000;

/// A loaded segment, as its program header has it.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// Its virtual address.
    pub virtual_start: u64,
    /// Its physical address.
    pub physical_start: u64,
    /// Where it is in the file.
    pub offset: u64,
    /// Its size in memory, in bytes.
    pub size: u64,
    /// How much of that is in the file.
    pub size_in_file: u64,
    /// Whether it may be executed.
    pub executable: bool,
}

impl Segment {
    /// Its virtual addresses.
    pub fn virtually(&self) -> Range<u64> {
        self.virtual_start..self.virtual_start.saturating_add(self.size)
    }

    /// Its physical addresses.
    pub fn physically(&self) -> Range<u64> {
        self.physical_start..self.physical_start.saturating_add(self.size)
    }

    fn complaint(&self) -> Option<String> {
        let what = if self.size_in_file > self.size {
            "has more in the file than in memory"
        } else if self.virtual_start % PAGE != self.physical_start % PAGE
            || self.virtual_start % PAGE != self.offset % PAGE
        {
            "is not at the same place of a page in file, physical and virtual memory"
        } else {
            return None;
        };
        Some(format!("the segment at {:#x} {what}", self.virtual_start))
    }
}

/// All complaints about the segments, and about notes that are there twice or disagree with them.
pub fn complaints(notes: &Notes) -> Vec<String> {
    let mut complaints: Vec<String> = notes.segments.iter().filter_map(Segment::complaint).collect();
    complaints.extend(overlaps(notes, "virtual", Segment::virtually));
    complaints.extend(overlaps(notes, "physical", Segment::physically));
    complaints.extend(repeated(notes));
    complaints.extend(entry(notes, ENTRY, "ENTRY", Segment::virtually));
    complaints.extend(entry(notes, PHYS32_ENTRY, "PHYS32_ENTRY", Segment::physically));
    complaints.extend(displaced(notes));
    complaints
}

/// Segments that begin before the one before them ends.
fn overlaps(notes: &Notes, kind: &str, addresses: fn(&Segment) -> Range<u64>) -> Vec<String> {
    let mut ranges: Vec<Range<u64>> = notes.segments.iter().map(addresses).collect();
    ranges.sort_by_key(|range| range.start);
    let pairs = ranges.windows(2).filter(|pair| pair[0].end > pair[1].start);
    pairs
        .map(|pair| format!("two segments share {kind} memory at {:#x}", pair[1].start))
        .collect()
}

/// Types of notes of which there are several.
fn repeated(notes: &Notes) -> Vec<String> {
    let mut kinds: Vec<u32> = notes.found.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    let twice = kinds.windows(2).filter(|pair| pair[0] == pair[1]);
    twice.map(|pair| format!("note {} is there twice", pair[0])).collect()
}

/// An entry that is in the image, but not where code is.
fn entry(notes: &Notes, kind: u32, name: &str, addresses: fn(&Segment) -> Range<u64>) -> Option<String> {
    let entry = notes.number(kind)?;
    let segment = notes
        .segments
        .iter()
        .find(|segment| addresses(segment).contains(&entry))?;
    (!segment.executable).then(|| format!("note {kind} ({name}) points to what cannot be executed: {entry:#x}"))
}

/// Segments that are not where Xen, by `VIRT_BASE` and `PADDR_OFFSET`, puts them.
fn displaced(notes: &Notes) -> Vec<String> {
    let (Some(base), Some(offset)) = (notes.number(VIRT_BASE), notes.number(PADDR_OFFSET)) else {
        return Vec::new();
    };
    let said = base.wrapping_sub(offset);
    let displaced = notes
        .segments
        .iter()
        .filter(|segment| segment.virtual_start.wrapping_sub(segment.physical_start) != said);
    displaced
        .map(|segment| {
            format!(
                "the segment at {:#x} is not where notes {VIRT_BASE} (VIRT_BASE) and {PADDR_OFFSET} (PADDR_OFFSET) put physical {:#x}",
                segment.virtual_start, segment.physical_start
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;
