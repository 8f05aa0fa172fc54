//! Sound images for tests to spoil in one respect: ELF files written field by field, since no linker writes a broken one.

use super::configuration::DIRECT_MAP;
use super::headers::{CONFIGURATION, OWNER};
use super::{
    ENTRY, FEATURES, GUEST_OS, GUEST_VERSION, IMAGE_BASE, LOADER, PADDR_OFFSET, PHYS32_ENTRY, SUPPORTED_FEATURES,
    VIRT_BASE, XEN_VERSION,
};
use crate::platform::Platform;
use bootloader_api::BootloaderConfig;
use bootloader_api::config::Mapping;
use object::elf;
use std::collections::BTreeMap;

/// Where the code of a sample is loaded, and how long it is; its data follows.
pub const PHYSICAL: u64 = 0x10_0000;
pub const LENGTH: u64 = 0x1000;

/// Where it is linked.
pub const VIRTUAL: u64 = IMAGE_BASE + PHYSICAL;

/// Where the entries are, from the start of the code.
pub const START: u64 = 0x40;
pub const STUB: u64 = 0x80;
pub const START_UNDER_XEN: u64 = 0xc0;

/// The 32-bit entry's symbol.
pub const STUB_SYMBOL: &str = "_ZN14subarch_native4boot3pvh4stub5start17h0123456789abcdefE";

/// An image to be.
#[derive(Debug)]
pub struct Sample {
    /// Owner, type and value of each note.
    pub notes: Vec<(&'static [u8], u32, Vec<u8>)>,
    /// The alignment of the notes' program header.
    pub alignment: u64,
    /// Code and data.
    pub segments: [Loaded; 2],
    /// The entry in the ELF header.
    pub entry: u64,
    /// What the section for the `bootloader` crate has.
    pub configuration: Vec<u8>,
    /// The symbols, which are not in the file.
    pub symbols: BTreeMap<String, u64>,
}

/// A loaded segment to be.
#[derive(Debug, Clone, Copy)]
pub struct Loaded {
    pub flags: u32,
    pub offset: u64,
    pub virtual_start: u64,
    pub physical_start: u64,
    pub size_in_file: u64,
    pub size: u64,
    pub alignment: u64,
}

impl Sample {
    /// A sound image for `platforms`.
    pub fn of(platforms: &[Platform]) -> Self {
        let code = Loaded {
            flags: (elf::PF_R | elf::PF_X).0,
            offset: 0,
            virtual_start: VIRTUAL,
            physical_start: PHYSICAL,
            size_in_file: LENGTH,
            size: LENGTH,
            alignment: 0x1000,
        };
        let data = Loaded {
            flags: (elf::PF_R | elf::PF_W).0,
            virtual_start: VIRTUAL + LENGTH,
            physical_start: PHYSICAL + LENGTH,
            size_in_file: 0x800,
            ..code
        };
        let symbols = [
            ("_start", VIRTUAL + START),
            (STUB_SYMBOL, VIRTUAL + STUB),
            ("xen_start", VIRTUAL + START_UNDER_XEN),
        ];
        let (mut notes, mut configuration) = (Vec::new(), Vec::new());
        let is_bare = platforms.iter().any(|platform| platform.is_bare());
        if is_bare {
            notes.extend(pvh_notes());
            configuration = sound_configuration();
        }
        if platforms.contains(&Platform::Xen) {
            notes.extend(xen_notes(if is_bare { START_UNDER_XEN } else { START }));
        }
        Self {
            notes,
            alignment: 4,
            segments: [code, data],
            entry: VIRTUAL + START,
            configuration,
            symbols: symbols.map(|(name, address)| (name.to_owned(), address)).into(),
        }
    }

    /// Gives the note of type `kind` another value.
    pub fn set(&mut self, kind: u32, value: &[u8]) {
        let note = self.notes.iter_mut().find(|(_, found, _)| *found == kind);
        note.expect("the sample has this note").2 = value.to_vec();
    }

    /// The file: headers, notes, configuration, names, and the table of sections.
    pub fn file(&self) -> Vec<u8> {
        let notes = self.notes.iter().flat_map(note).collect::<Vec<u8>>();
        let names = format!("\0{CONFIGURATION}\0");
        let at_notes = 64 + 56 * (self.segments.len() + 1);
        let at_configuration = at_notes + notes.len();
        let at_names = at_configuration + self.configuration.len();
        let at_sections = at_names + names.len();
        let mut bytes = self.header(at_sections as u64);
        bytes.extend(self.segments.iter().flat_map(Loaded::header));
        let length = notes.len() as u64;
        let place = [at_notes as u64, VIRTUAL, PHYSICAL, length, length, self.alignment];
        bytes.extend(program_header(elf::PT_NOTE.0, elf::PF_R.0, place));
        for part in [&notes, &self.configuration, names.as_bytes()] {
            bytes.extend(part);
        }
        bytes.extend(section(0, 0, 0, 0));
        bytes.extend(section(
            1,
            elf::SHT_PROGBITS.0,
            at_configuration,
            self.configuration.len(),
        ));
        bytes.extend(section(0, elf::SHT_STRTAB.0, at_names, names.len()));
        bytes.resize(LENGTH as usize, 0);
        bytes
    }

    /// The ELF header of a program for x86-64 whose table of sections is at `sections`.
    fn header(&self, sections: u64) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend([elf::ET_EXEC.0, elf::EM_X86_64.0].map(u16::to_le_bytes).concat());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend([self.entry, 64, sections].map(u64::to_le_bytes).concat());
        bytes.extend(0_u32.to_le_bytes());
        let segments = self.segments.len() as u16 + 1;
        bytes.extend([64, 56, segments, 64, 3, 2].map(u16::to_le_bytes).concat());
        bytes
    }
}

impl Loaded {
    fn header(&self) -> Vec<u8> {
        let numbers = [
            self.offset,
            self.virtual_start,
            self.physical_start,
            self.size_in_file,
            self.size,
            self.alignment,
        ];
        program_header(elf::PT_LOAD.0, self.flags, numbers)
    }
}

fn pvh_notes() -> Vec<(&'static [u8], u32, Vec<u8>)> {
    vec![(OWNER, PHYS32_ENTRY, (PHYSICAL + STUB).to_le_bytes().to_vec())]
}

fn xen_notes(start: u64) -> Vec<(&'static [u8], u32, Vec<u8>)> {
    let notes: [(u32, &[u8]); 9] = [
        (GUEST_OS, b"Anyring\0"),
        (GUEST_VERSION, b"0.1.0\0"),
        (XEN_VERSION, b"xen-3.0\0"),
        (LOADER, b"generic\0"),
        (FEATURES, b"!writable_page_tables\0"),
        (SUPPORTED_FEATURES, &0x800_u32.to_le_bytes()),
        (VIRT_BASE, &IMAGE_BASE.to_le_bytes()),
        (PADDR_OFFSET, &0_u64.to_le_bytes()),
        (ENTRY, &(VIRTUAL + start).to_le_bytes()),
    ];
    notes.map(|(kind, value)| (OWNER, kind, value.to_vec())).into()
}

fn sound_configuration() -> Vec<u8> {
    let mut configuration = BootloaderConfig::new_default();
    configuration.mappings.physical_memory = Some(Mapping::FixedAddress(DIRECT_MAP));
    configuration.serialize().to_vec()
}

/// One note as bytes: sizes, type, owner, value, each padded to four.
fn note((owner, kind, value): &(&[u8], u32, Vec<u8>)) -> Vec<u8> {
    let mut bytes = [owner.len() as u32 + 1, value.len() as u32, *kind]
        .map(u32::to_le_bytes)
        .concat();
    for part in [&[*owner, b"\0"].concat(), value] {
        bytes.extend(part);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// A program header: offset, addresses, sizes, alignment.
fn program_header(kind: u32, flags: u32, numbers: [u64; 6]) -> Vec<u8> {
    let numbers = numbers.map(u64::to_le_bytes).concat();
    [[kind, flags].map(u32::to_le_bytes).concat(), numbers].concat()
}

/// A section's header.
fn section(name: u32, kind: u32, offset: usize, length: usize) -> Vec<u8> {
    let mut bytes = [name, kind].map(u32::to_le_bytes).concat();
    bytes.extend(
        [0, 0, offset as u64, length as u64, 0, 1, 0]
            .map(u64::to_le_bytes)
            .concat(),
    );
    bytes
}
