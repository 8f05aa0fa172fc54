use super::*;
use crate::physical::Pieces;
use arch::Pfn;
use proptest::prelude::*;

/// Start information at 0x1000 with the memory map, the module list and the command line behind it.
fn machine(memory_map: &[(u64, u64, u32)], modules: &[(u64, u64)], line: &[u8]) -> Pieces {
    let mut info = vec![];
    for word in [MAGIC, 1, 0, modules.len() as u32] {
        info.extend(word.to_le_bytes());
    }
    for address in [0x3000u64, 0x4000, 0xf0000, 0x2000] {
        info.extend(address.to_le_bytes());
    }
    info.extend((memory_map.len() as u32).to_le_bytes());
    info.extend(0u32.to_le_bytes());
    let map = memory_map
        .iter()
        .flat_map(|(start, size, kind)| [*start, *size, u64::from(*kind)]);
    let list = modules.iter().flat_map(|(start, size)| [*start, *size, 0, 0]);
    Pieces(vec![
        (0x1000, info),
        (0x2000, map.flat_map(u64::to_le_bytes).collect()),
        (0x3000, list.flat_map(u64::to_le_bytes).collect()),
        (0x4000, line.to_vec()),
    ])
}

fn frames(start: u64, end: u64) -> FrameRange {
    FrameRange::new(Pfn(start), Pfn(end))
}

/// What is read where nobody else can be asked for a memory map.
fn told(memory: &Pieces) -> Result<Told<'_>, PvhError> {
    Told::read(memory, 0x1000, 2048, || None)
}

#[test]
fn a_memory_map_that_was_not_passed_is_asked_for() {
    let mut memory = machine(&[(0, 0x1000, 1)], &[(0x50_0000, 0x1000)], b"");
    memory.0[0].1[4] = 0;
    let mut entry = [0; MAP_ENTRY_SIZE];
    entry[2] = 0x40;
    entry[10] = 0x20;
    entry[16] = 1;
    let map = [entry];
    let told = Told::read(&memory, 0x1000, 2048, || Some(&map)).expect("nothing is wrong with it");
    assert_eq!(told.ram.ranges(), [frames(0x400, 0x600)]);
    assert_eq!(told.free.ranges(), [frames(0x400, 0x500), frames(0x501, 0x600)]);
}

#[test]
fn a_machine_is_read() {
    let memory = machine(
        &[
            (0, 0x9fc00, 1),
            (0xf0000, 0x10000, 2),
            (0x10_0000, 0x70_0800, 1),
            (0x40_0000, 0x1000, 3),
        ],
        &[(0x50_0800, 0x1000)],
        b"log=debug\0",
    );
    let told = told(&memory).expect("nothing is wrong with it");
    assert_eq!(told.command_line, b"log=debug");
    assert_eq!(told.rsdp, Some(0xf0000));
    assert_eq!(told.module, Some(frames(0x500, 0x502)));
    assert_eq!(
        told.ram.ranges(),
        [frames(0, 0x9f), frames(0x100, 0x400), frames(0x401, 0x800)]
    );
    assert_eq!(told.free.frames(), told.ram.frames() - 2);
}

#[test]
fn what_is_no_start_information_is_refused_by_name() {
    let mut memory = machine(&[], &[], b"");
    assert_eq!(told(&memory).err(), Some(PvhError::NoMemoryMap(1)));
    memory.0[0].1[4] = 0;
    assert_eq!(told(&memory).err(), Some(PvhError::NoMemoryMap(0)));
    memory.0[0].1[0] = 0;
    assert_eq!(StartInfo::read(&memory, 0x1000), Err(PvhError::Magic(0x336e_c500)));
    assert_eq!(
        StartInfo::read(&memory, 0x9000),
        Err(PvhError::OutOfReach("start information", 0x9000))
    );
}

#[test]
fn lists_out_of_reach_are_refused_by_name() {
    let mut memory = machine(&[(0, 0x1000, 1)], &[], b"");
    memory.0[1].1.truncate(23);
    assert_eq!(told(&memory).err(), Some(PvhError::OutOfReach("memory map", 0x2000)));
}

proptest! {
    /// No start information, however odd, makes the kernel fault.
    #[test]
    fn odd_start_information_never_faults(bytes in prop::collection::vec(any::<u8>(), START_INFO_SIZE), lists in prop::collection::vec(any::<u8>(), 4096)) {
        let mut bytes = bytes;
        bytes[..8].copy_from_slice(&[0x78, 0xc5, 0x6e, 0x33, 1, 0, 0, 0]);
        bytes[12..16].copy_from_slice(&[3, 0, 0, 0]);
        for pointer in [16, 40] {
            bytes[pointer..pointer + 8].copy_from_slice(&0x2000u64.to_le_bytes());
        }
        bytes[48] |= 1;
        bytes[49..52].fill(0);
        let memory = Pieces(vec![(0x1000, bytes), (0x2000, lists)]);
        let info = StartInfo::read(&memory, 0x1000).expect("magic and version are right");
        if let Ok(mut ram) = read_memory_map(&memory, &info) {
            let _ = read_modules(&memory, &info, &mut ram);
        }
    }
}
