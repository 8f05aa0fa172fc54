//! The ELF notes that make Xen accept the image.
//!
//! A PV guest is not started by jumping to its first byte: Xen (for dom0) or the toolstack (for domU) is the loader, and it
//! builds page tables, memory and a stack *before* the first instruction runs. It must therefore know things that no ELF
//! header tells: at which address the guest wants to live, which tricks it masters, where it wishes to be entered. These
//! notes tell them. Without them, or with one of them wrong, the domain is not even built, so their layout is tested on
//! the host and checked once more by `cargo xtask` before it boots anything.
//!
//! Source: Xen's public header `elfnote.h`, and the ELF specification, "Note Section": each note is the lengths of name
//! and content, a type, the name with its terminating zero, the content, all in units of four bytes.

use arch::layout::IMAGE_BASE;

/// All notes of the image, one behind the other, for the section `.note.Xen`.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct Notes {
    guest_os: Note<[u8; 8]>,
    guest_version: Note<[u8; 8]>,
    xen_version: Note<[u8; 8]>,
    loader: Note<[u8; 8]>,
    features: Note<[u8; 44]>,
    supported_features: Note<u32>,
    virtual_base: Note<u64>,
    physical_offset: Note<u64>,
    entry: Note<Entry>,
}

/// Where Xen shall enter the guest: a virtual address.
pub type Entry = unsafe extern "C" fn() -> !;

/// Types of notes, `XEN_ELFNOTE_*` in the header.
mod kind {
    pub const ENTRY: u32 = 1;
    pub const VIRT_BASE: u32 = 3;
    pub const PADDR_OFFSET: u32 = 4;
    pub const XEN_VERSION: u32 = 5;
    pub const GUEST_OS: u32 = 6;
    pub const GUEST_VERSION: u32 = 7;
    pub const LOADER: u32 = 8;
    pub const FEATURES: u32 = 10;
    pub const SUPPORTED_FEATURES: u32 = 17;
}

/// The kernel can be dom0 (`XENFEAT_dom0` of `features.h`); without it Xen refuses to let it be.
const FEATURE_DOM0: u32 = 1 << 11;

impl Notes {
    /// The notes of a kernel that is entered at `entry`.
    ///
    /// The feature line says that page tables may be required to be read-only (`!` is "we do without") and that roots may
    /// lie above 4 GiB.
    pub const fn new(entry: Entry) -> Self {
        Self {
            guest_os: Note::new(kind::GUEST_OS, *b"Anyring\0"),
            guest_version: Note::new(kind::GUEST_VERSION, version(env!("CARGO_PKG_VERSION"))),
            xen_version: Note::new(kind::XEN_VERSION, *b"xen-3.0\0"),
            loader: Note::new(kind::LOADER, *b"generic\0"),
            features: Note::new(kind::FEATURES, *b"!writable_page_tables|pae_pgdir_above_4gb\0\0\0"),
            supported_features: Note::new(kind::SUPPORTED_FEATURES, FEATURE_DOM0),
            virtual_base: Note::new(kind::VIRT_BASE, IMAGE_BASE),
            physical_offset: Note::new(kind::PADDR_OFFSET, 0),
            entry: Note::new(kind::ENTRY, entry),
        }
    }
}

/// One note. The content's size is a multiple of four, so that no padding is needed between notes.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
struct Note<T> {
    name_size: u32,
    content_size: u32,
    kind: u32,
    name: [u8; 4],
    content: T,
}

impl<T> Note<T> {
    const fn new(kind: u32, content: T) -> Self {
        assert!(size_of::<T>().is_multiple_of(4), "a note is whole words");
        Self {
            name_size: 4,
            content_size: size_of::<T>() as u32,
            kind,
            name: *b"Xen\0",
            content,
        }
    }
}

/// The crate's version as a zero-terminated string of fixed size.
const fn version(text: &str) -> [u8; 8] {
    assert!(text.len() < 8, "the note has room for seven characters");
    let mut padded = [0; 8];
    let (head, _) = padded.split_at_mut(text.len());
    head.copy_from_slice(text.as_bytes());
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" fn entry() -> ! {
        unreachable!("only its address is of interest")
    }

    /// Walks the notes as a loader does.
    fn parse(notes: &Notes) -> Vec<(u32, Vec<u8>)> {
        // SAFETY: a packed structure has no padding, so all its bytes are initialised.
        let mut bytes = unsafe { std::slice::from_raw_parts((&raw const *notes).cast::<u8>(), size_of::<Notes>()) };
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            let (name, content) = (word(0) as usize, word(4) as usize);
            assert_eq!(&bytes[12..12 + name], b"Xen\0");
            let start = 12 + name.next_multiple_of(4);
            found.push((word(8), bytes[start..start + content].to_vec()));
            bytes = &bytes[start + content.next_multiple_of(4)..];
        }
        found
    }

    #[test]
    fn a_loader_finds_every_note() {
        let notes = parse(&Notes::new(entry));
        let get = |kind| &notes.iter().find(|(found, _)| *found == kind).expect("the note").1;
        assert_eq!(get(kind::XEN_VERSION).as_slice(), b"xen-3.0\0");
        assert_eq!(get(kind::LOADER).as_slice(), b"generic\0");
        assert_eq!(get(kind::GUEST_OS).as_slice(), b"Anyring\0");
        assert_eq!(get(kind::VIRT_BASE).as_slice(), 0xffff_ffff_8000_0000_u64.to_le_bytes());
        assert_eq!(get(kind::PADDR_OFFSET).as_slice(), 0_u64.to_le_bytes());
        assert_eq!(get(kind::ENTRY).as_slice(), (entry as *const () as u64).to_le_bytes());
        assert_eq!(get(kind::SUPPORTED_FEATURES).as_slice(), 0x800_u32.to_le_bytes());
        assert!(get(kind::FEATURES).starts_with(b"!writable_page_tables|pae_pgdir_above_4gb\0"));
        assert_eq!(notes.len(), 9);
    }
}
