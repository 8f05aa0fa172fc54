use super::super::access::UserAccess;
use super::super::regions::{LOWEST, Regions};
use super::*;
use arch::layout::{PAGE_SIZE, USER_END};
use object::elf::{FileType, ProgramFlags, ProgramType};
use object::pod::{bytes_of, bytes_of_slice};
use object::{U16, U32, U64};
use proptest::prelude::*;

const E: LittleEndian = LittleEndian;
const BASE: u64 = 0x40_0000;
const R: ProgramFlags = elf::PF_R;
const RX: ProgramFlags = ProgramFlags(elf::PF_R.0 | elf::PF_X.0);
const RW: ProgramFlags = ProgramFlags(elf::PF_R.0 | elf::PF_W.0);

/// A file in the making: what linkers make of a small program, until a test spoils it.
#[derive(Clone)]
struct Draft {
    header: FileHeader,
    table: Vec<ProgramHeader>,
}

impl Draft {
    /// Bytes of file behind the headers that the segments share.
    const CONTENTS: usize = 0x300;

    fn new() -> Self {
        let table = vec![
            segment(elf::PT_LOAD, R, 0, BASE, 0x150, 0x150),
            segment(elf::PT_LOAD, RX, 0x150, BASE + 0x1150, 0x80, 0x80),
            segment(elf::PT_LOAD, RW, 0x1d0, BASE + 0x21d0, 0x20, 0x1000),
            segment(elf::PT_GNU_STACK, RW, 0, 0, 0, 0),
        ];
        Self {
            header: header(table.len()),
            table,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = bytes_of(&self.header).to_vec();
        bytes.extend_from_slice(bytes_of_slice(&self.table));
        bytes.extend((0..Self::CONTENTS).map(|index| index as u8));
        bytes
    }
}

fn header(count: usize) -> FileHeader {
    let mut header: FileHeader = *object::pod::from_bytes(&[0; 64]).unwrap().0;
    header.e_ident.magic = elf::ELFMAG;
    header.e_ident.class = elf::ELFCLASS64;
    header.e_ident.data = elf::ELFDATA2LSB;
    header.e_type = U16::new(E, elf::ET_EXEC);
    header.e_machine = U16::new(E, elf::EM_X86_64);
    header.e_entry = U64::new(E, BASE + 0x1150);
    header.e_phoff = U64::new(E, 64);
    header.e_phentsize = U16::new(E, ENTRY_SIZE);
    header.e_phnum = U16::new(E, count as u16);
    header
}

fn segment(kind: ProgramType, flags: ProgramFlags, offset: u64, address: u64, size: u64, memory: u64) -> ProgramHeader {
    ProgramHeader {
        p_type: U32::new(E, kind),
        p_flags: U32::new(E, flags),
        p_offset: U64::new(E, offset),
        p_vaddr: U64::new(E, address),
        p_paddr: U64::new(E, 0),
        p_filesz: U64::new(E, size),
        p_memsz: U64::new(E, memory),
        p_align: U64::new(E, PAGE_SIZE),
    }
}

#[test]
fn what_a_linker_makes_is_read() {
    let file = Draft::new().bytes();
    let program = parse(&file).unwrap();
    assert_eq!(program.entry, BASE + 0x1150);
    assert_eq!(
        program.headers,
        ProgramHeaders {
            address: Some(BASE + 64),
            entry_size: 56,
            count: 4
        }
    );
    let [headers, code, data] = program.segments[..] else {
        panic!("three segments have memory");
    };
    assert_eq!(
        [headers, code, data].map(|segment| segment.access.to_string()),
        ["r--", "r-x", "rw-"]
    );
    assert_eq!((code.bytes, code.memory_size), (&file[0x150..0x1d0], 0x80));
    assert_eq!((data.bytes, data.memory_size), (&file[0x1d0..0x1f0], 0x1000));
    assert_eq!(data.pages(), BASE + 0x2000..BASE + 0x4000);
}

#[test]
fn headers_that_are_not_in_memory_have_no_address() {
    let mut draft = Draft::new();
    draft.table[0].p_filesz = U64::new(E, 64 + 3 * 56);
    assert_eq!(parse(&draft.bytes()).unwrap().headers.address, None);
}

#[test]
fn segments_without_memory_are_passed_over() {
    let mut draft = Draft::new();
    draft.table[3] = segment(elf::PT_LOAD, RW, 0, 0, 0, 0);
    assert_eq!(parse(&draft.bytes()).unwrap().segments.len(), 3);
}

fn refusal(spoil: impl FnOnce(&mut Draft)) -> ElfError {
    let mut draft = Draft::new();
    spoil(&mut draft);
    parse(&draft.bytes()).expect_err("the file is spoilt")
}

#[test]
fn files_of_other_kinds_are_refused_by_name() {
    let kind = |kind| move |draft: &mut Draft| draft.header.e_type = U16::new(E, kind);
    assert_eq!(parse(b"#!/bin/sh\n"), Err(ElfError::NotElf));
    assert_eq!(parse(&Draft::new().bytes()[..63]), Err(ElfError::Truncated(63)));
    assert_eq!(
        refusal(|draft| draft.header.e_ident.class = elf::ELFCLASS32),
        ElfError::WrongClass(1)
    );
    assert_eq!(
        refusal(|draft| draft.header.e_ident.data = elf::ELFDATA2MSB),
        ElfError::WrongByteOrder(2)
    );
    assert_eq!(
        refusal(|draft| draft.header.e_machine = U16::new(E, elf::EM_AARCH64)),
        ElfError::WrongMachine(183)
    );
    assert_eq!(refusal(kind(FileType(4))), ElfError::WrongType(4));
    assert_eq!(refusal(kind(elf::ET_DYN)), ElfError::PositionIndependent);
    let interpreter = segment(elf::PT_INTERP, R, 0x100, BASE + 0x100, 8, 8);
    assert_eq!(
        refusal(|draft| draft.table[3] = interpreter),
        ElfError::DynamicallyLinked
    );
    assert_eq!(
        refusal(|draft| draft.table[3].p_flags = U32::new(E, RX)),
        ElfError::ExecutableStack
    );
}

#[test]
fn wrong_tables_are_refused_by_name() {
    let count = |count| move |draft: &mut Draft| draft.header.e_phnum = U16::new(E, count);
    assert_eq!(refusal(count(0)), ElfError::NoSegment);
    assert_eq!(refusal(count(0xffff)), ElfError::TooManyHeaders(0xffff));
    assert_eq!(
        refusal(|draft| draft.header.e_phentsize = U16::new(E, 32)),
        ElfError::WrongHeaderSize(32)
    );
    for offset in [u64::MAX, u64::MAX - 100, 0x400] {
        let outside = ElfError::HeadersOutside { offset, count: 4 };
        assert_eq!(refusal(|draft| draft.header.e_phoff = U64::new(E, offset)), outside);
    }
    let only_stack = |draft: &mut Draft| {
        draft.table.drain(..3);
        draft.header.e_phnum = U16::new(E, 1);
    };
    assert_eq!(refusal(only_stack), ElfError::NoSegment);
}

#[test]
fn wrong_segments_are_refused_by_name() {
    let replace = |new: ProgramHeader| move |draft: &mut Draft| draft.table[2] = new;
    let load =
        |flags, offset, address, size, memory| replace(segment(elf::PT_LOAD, flags, offset, address, size, memory));
    let end = BASE + 0x2000;
    for (offset, size) in [(0x1d0, 0x1000), (u64::MAX, 2), (2, u64::MAX)] {
        assert_eq!(
            refusal(load(RW, offset, end, size, u64::MAX)),
            ElfError::SegmentOutside { offset, size }
        );
    }
    let larger = ElfError::LargerThanItsMemory {
        size: 9,
        memory_size: 8,
    };
    assert_eq!(refusal(load(RW, 0, end, 9, 8)), larger);
    for (address, memory_size) in [
        (0, 8),
        (LOWEST - 1, 8),
        (USER_END - 7, 8),
        (end, u64::MAX),
        (u64::MAX, 8),
    ] {
        assert_eq!(
            refusal(load(RW, 0, address, 8, memory_size)),
            ElfError::OutOfBounds { address, memory_size }
        );
    }
    assert_eq!(
        refusal(load(RW, 0, BASE + 0xfff, 8, 8)),
        ElfError::OutOfOrder(BASE + 0xfff)
    );
    assert_eq!(
        refusal(load(RW, 0, BASE + 0x1fff, 8, 8)),
        ElfError::SharesPage(BASE + 0x1fff)
    );
    let all = ProgramFlags(7);
    assert_eq!(refusal(load(all, 0, end, 8, 8)), ElfError::WriteAndExecute(end));
}

#[test]
fn a_program_begins_in_its_code() {
    let begin = |entry| move |draft: &mut Draft| draft.header.e_entry = U64::new(E, entry);
    for entry in [0, BASE, BASE + 0x114f, BASE + 0x11d0, BASE + 0x21d0, u64::MAX] {
        assert_eq!(refusal(begin(entry)), ElfError::EntryNotExecutable(entry));
    }
}

#[test]
fn the_messages_read_on_from_the_files_name() {
    assert_eq!(
        ElfError::DynamicallyLinked.to_string(),
        "is dynamically linked, only static programs run"
    );
    let error = ElfError::OutOfBounds {
        address: 0,
        memory_size: 16,
    };
    assert_eq!(
        error.to_string(),
        "wants 0x10 bytes at 0x0, programs live in 0x10000..0x7ffffffff000"
    );
}

/// What a loader relies on.
fn check_promises(file: &[u8], program: &Program<'_>) -> Result<(), TestCaseError> {
    let mut regions = Regions::new();
    let mut last = 0;
    for segment in &program.segments {
        prop_assert!(segment.bytes.len() as u64 <= segment.memory_size && segment.memory_size > 0);
        prop_assert!(segment.address >= last, "segments ascend");
        last = segment.address;
        prop_assert_eq!(regions.insert(segment.pages(), segment.access), Ok(()));
        prop_assert!(file.as_ptr_range().contains(&segment.bytes.as_ptr()) || segment.bytes.is_empty());
    }
    let at_entry = regions.find(program.entry).map(|region| region.access);
    prop_assert!(at_entry.is_some_and(|access| access.contains(UserAccess::EXECUTE)));
    if let Some(address) = program.headers.address {
        prop_assert!(regions.find(address).is_some());
    }
    prop_assert!(program.headers.count <= MAX_HEADERS.into());
    Ok(())
}

/// Numbers as an enemy would choose them.
fn nasty() -> impl Strategy<Value = u64> {
    let edges = [
        0,
        1,
        0x40,
        0xfff,
        0x1000,
        LOWEST,
        BASE,
        BASE + 0x1150,
        USER_END,
        1 << 63,
        u64::MAX,
    ];
    (prop::sample::select(edges.to_vec()), -2i64..3).prop_map(|(edge, off)| edge.wrapping_add_signed(off))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn arbitrary_bytes_do_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..600), elf_like in any::<bool>()) {
        if elf_like {
            let start = Draft::new().bytes();
            let length = bytes.len().min(20);
            bytes[..length].copy_from_slice(&start[..length]);
        }
        if let Ok(program) = parse(&bytes) {
            check_promises(&bytes, &program)?;
        }
    }

    #[test]
    fn spoilt_files_do_no_harm(
        words in prop::collection::vec((0usize..35, nasty()), 0..4),
        bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
        skew in 0usize..8,
    ) {
        let mut file = vec![0; skew];
        file.extend(Draft::new().bytes());
        let spoilt = &mut file[skew..];
        for (word, value) in words {
            spoilt[16 + word * 8..24 + word * 8].copy_from_slice(&value.to_le_bytes());
        }
        for (index, value) in bytes {
            spoilt[index.index(288)] = value;
        }
        let spoilt = &spoilt[..cut.map_or(spoilt.len(), |cut| cut.index(spoilt.len()))];
        if let Ok(program) = parse(spoilt) {
            check_promises(spoilt, &program)?;
        }
    }
}
