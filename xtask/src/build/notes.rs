//! Checking that an image says what its loader wants to hear, and that it is true.
//!
//! A loader learns from ELF notes how to start a kernel: where the entry is, in which mode, what the guest can do. A
//! missing note shows late and badly. Xen prints one line among many and reboots after five seconds; QEMU calls the
//! file "not a valid kernel" and leaves the reason open. Here every complaint names the note and what it is for.
//!
//! Numbers and meanings: `xen/include/public/elfnote.h`; QEMU reads the same note 18 for its direct boot, as eight
//! bytes and only from a program header aligned to four.

mod layout;

use crate::platform::Platform;
use layout::Segment;
use object::elf::{FileHeader64, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, elf};
use std::ops::Range;

/// The owner of all notes that matter here.
const OWNER: &[u8] = b"Xen";
/// Virtual address of the 64-bit entry.
const ENTRY: u32 = 1;
/// Virtual address that corresponds to the first frame of the guest.
const VIRT_BASE: u32 = 3;
/// What to subtract from physical addresses in program headers.
const PADDR_OFFSET: u32 = 4;
/// The interface the kernel was written for.
const XEN_VERSION: u32 = 5;
/// Who can load it.
const LOADER: u32 = 8;
/// Features as a bit mask; dom0 must be among them if the note is there at all.
const SUPPORTED_FEATURES: u32 = 17;
/// Physical address of the 32-bit entry.
const PHYS32_ENTRY: u32 = 18;
/// The bit of [`SUPPORTED_FEATURES`] that means "can be dom0".
const DOM0: u64 = 1 << 11;

/// What is wrong with `image` as a kernel for `platform`; nothing, if it will boot.
pub fn complaints(platform: Platform, image: &[u8]) -> Vec<String> {
    match Notes::read(image) {
        Err(why) => vec![format!("not a 64-bit ELF file: {why}")],
        Ok(notes) if notes.found.is_empty() => {
            vec!["no ELF note owned by \"Xen\" in any PT_NOTE program header".to_owned()]
        }
        Ok(notes) => {
            let mut complaints = match platform {
                Platform::Xen => notes.complaints_of_xen(),
                Platform::Native | Platform::Vmi => notes.complaints_of_pvh(),
            };
            complaints.extend(layout::complaints(&notes));
            complaints
        }
    }
}

/// The notes of an image, and where its segments lie.
struct Notes {
    /// Type and value of each note.
    found: Vec<(u32, Vec<u8>)>,
    /// The loaded segments.
    segments: Vec<Segment>,
    /// Whether the notes' program header is aligned to four, as QEMU requires.
    aligned: bool,
}

impl Notes {
    /// Collects the notes of the ELF file `image`; what cannot be read as a note ends its program header's list.
    fn read(image: &[u8]) -> object::read::Result<Self> {
        let header = FileHeader64::<Endianness>::parse(image)?;
        let endian = header.endian()?;
        let mut notes = Self {
            found: Vec::new(),
            segments: Vec::new(),
            aligned: true,
        };
        for segment in header.program_headers(endian, image)? {
            notes.add(segment, endian, image)?;
        }
        Ok(notes)
    }

    /// Takes what one program header says.
    fn add(
        &mut self,
        segment: &ProgramHeader64<Endianness>,
        endian: Endianness,
        image: &[u8],
    ) -> object::read::Result<()> {
        if segment.p_type(endian) == elf::PT_LOAD {
            self.segments.push(Segment {
                virtual_start: segment.p_vaddr(endian),
                physical_start: segment.p_paddr(endian),
                offset: segment.p_offset(endian),
                size: segment.p_memsz(endian),
                size_in_file: segment.p_filesz(endian),
                executable: segment.p_flags(endian).contains(elf::PF_X),
            });
        }
        if segment.p_type(endian) != elf::PT_NOTE {
            return Ok(());
        }
        self.aligned &= segment.p_align(endian) == 4;
        let Some(mut list) = segment.notes(endian, image)? else {
            return Ok(());
        };
        while let Some(note) = list.next()? {
            if note.name() == OWNER {
                self.found.push((note.n_type(endian).0, note.desc().to_vec()));
            }
        }
        Ok(())
    }

    /// What Xen would miss when it builds a paravirtual domain.
    fn complaints_of_xen(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        complaints.extend(self.must_be(XEN_VERSION, "XEN_VERSION", "xen-3.0"));
        complaints.extend(self.must_be(LOADER, "LOADER", "generic"));
        complaints.extend(self.must_have(VIRT_BASE, "VIRT_BASE, where the kernel's address space starts"));
        complaints.extend(self.must_have(PADDR_OFFSET, "PADDR_OFFSET, what physical addresses are relative to"));
        complaints.extend(self.must_have(ENTRY, "ENTRY, the 64-bit entry"));
        if let Some(entry) = self
            .number(ENTRY)
            .filter(|entry| !self.contains(*entry, Segment::virtually))
        {
            complaints.push(format!("note {ENTRY} (ENTRY) points outside the image: {entry:#x}"));
        }
        if self
            .bits(SUPPORTED_FEATURES)
            .is_some_and(|features| features & DOM0 == 0)
        {
            complaints.push(format!(
                "note {SUPPORTED_FEATURES} (SUPPORTED_FEATURES) leaves out bit 11: cannot be dom0"
            ));
        }
        complaints
    }

    /// What QEMU would miss when it boots the image directly.
    fn complaints_of_pvh(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        complaints.extend(self.must_have(PHYS32_ENTRY, "PHYS32_ENTRY, the 32-bit entry, as eight bytes"));
        if let Some(entry) = self
            .number(PHYS32_ENTRY)
            .filter(|entry| !self.contains(*entry, Segment::physically))
        {
            complaints.push(format!(
                "note {PHYS32_ENTRY} (PHYS32_ENTRY) points outside the image: {entry:#x}"
            ));
        }
        if !self.aligned {
            complaints.push("the notes' program header is not aligned to 4: QEMU would skip it".to_owned());
        }
        complaints
    }

    /// The value of the note of type `kind`.
    fn value(&self, kind: u32) -> Option<&[u8]> {
        self.found
            .iter()
            .find(|(found, _)| *found == kind)
            .map(|(_, value)| value.as_slice())
    }

    /// The value of the note of type `kind` as a number of eight bytes.
    fn number(&self, kind: u32) -> Option<u64> {
        self.value(kind)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// The bits that the note of type `kind` sets, in four bytes or eight: Xen takes either.
    fn bits(&self, kind: u32) -> Option<u64> {
        let short = || self.value(kind)?.try_into().ok().map(u32::from_le_bytes);
        self.number(kind).or_else(|| short().map(u64::from))
    }

    /// A complaint unless there is a number in note `kind`.
    fn must_have(&self, kind: u32, what: &str) -> Option<String> {
        self.number(kind)
            .is_none()
            .then(|| format!("note {kind} is missing: {what}"))
    }

    /// A complaint unless note `kind` is the text `wanted`.
    fn must_be(&self, kind: u32, name: &str, wanted: &str) -> Option<String> {
        let found = self
            .value(kind)
            .map(|value| String::from_utf8_lossy(value).trim_end_matches('\0').to_owned());
        (found.as_deref() != Some(wanted)).then(|| match found {
            None => format!("note {kind} is missing: {name}, which must be \"{wanted}\""),
            Some(found) => format!("note {kind} ({name}) is \"{found}\" and must be \"{wanted}\""),
        })
    }

    /// Whether `address` lies in a segment, by the addresses that `range` picks.
    fn contains(&self, address: u64, range: fn(&Segment) -> Range<u64>) -> bool {
        self.segments.iter().any(|segment| range(segment).contains(&address))
    }
}

#[cfg(test)]
mod tests;
