use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Memory made of pieces; what is between them may not be read, except in the BIOS area, where it is zeros.
#[derive(Default)]
struct Pieces(BTreeMap<u64, u8>);

impl Memory for Pieces {
    fn byte(&mut self, address: u64) -> Option<u8> {
        let written = self.0.get(&address).copied();
        written.or(BIOS_AREA.contains(&address).then_some(0))
    }
}

impl Pieces {
    fn put(&mut self, address: u64, bytes: &[u8]) {
        self.0.extend((address..).zip(bytes.iter().copied()));
    }

    /// Puts a table with a right length and checksum.
    fn table(&mut self, address: u64, signature: &[u8; 4], body: &[u8]) {
        let mut table = signature.to_vec();
        table.extend((HEADER as u32 + body.len() as u32).to_le_bytes());
        table.resize(HEADER as usize, 0);
        table.extend(body);
        table[9] = checksum(&table);
        self.put(address, &table);
    }
}

fn checksum(bytes: &[u8]) -> u8 {
    0_u8.wrapping_sub(bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte)))
}

const POINTER: u64 = 0xf_5ab0;
const RSDT: u64 = 0x1000;
const FADT: u64 = 0x2000;
const DSDT: u64 = 0x3000;

/// As QEMU's BIOS leaves it, with `code` in the DSDT.
fn machine(code: &[u8]) -> Pieces {
    let mut memory = Pieces::default();
    let mut pointer = b"RSD PTR \0BOCHS \0".to_vec();
    pointer.extend((RSDT as u32).to_le_bytes());
    pointer[8] = checksum(&pointer);
    memory.put(POINTER, &pointer);
    memory.table(
        RSDT,
        b"RSDT",
        &[0x4000_u32.to_le_bytes(), (FADT as u32).to_le_bytes()].concat(),
    );
    memory.table(0x4000, b"APIC", &[1; 20]);
    let mut fadt = vec![0; 116 - HEADER as usize];
    fadt[4..8].copy_from_slice(&(DSDT as u32).to_le_bytes());
    memory.table(FADT, b"FACP", &fadt);
    let mut body = vec![0x10, 0x2a, b'_', b'S', b'5', b'_', 0x12];
    body.extend(code);
    body.extend([0; 16]);
    memory.table(DSDT, b"DSDT", &body);
    memory
}

const FIVE_SEVEN: &[u8] = b"\x08_S5_\x12\x08\x04\x0a\x05\x0a\x07\x00\x00";

#[test]
fn the_number_is_found_at_the_end_of_the_path() {
    assert_eq!(soft_off(&mut machine(FIVE_SEVEN)), Ok(SleepType { a: 5, b: 7 }));
    let zeros = b"\x08\\_S5_\x12\x06\x04\x00\x00\x00\x00";
    assert_eq!(soft_off(&mut machine(zeros)), Ok(SleepType { a: 0, b: 0 }));
    let long_length = b"\x08_S5_\x12\x47\x00\x02\x01\x0a\x02";
    assert_eq!(soft_off(&mut machine(long_length)), Ok(SleepType { a: 1, b: 2 }));
}

#[test]
fn a_newer_pointer_leads_through_the_longer_tables() {
    let mut memory = machine(FIVE_SEVEN);
    let mut pointer = b"RSD PTR \0BOCHS \x02\0\0\0\0".to_vec();
    pointer[8] = checksum(&pointer);
    pointer.extend(36_u32.to_le_bytes());
    pointer.extend(0x5000_u64.to_le_bytes());
    memory.put(POINTER, &pointer);
    memory.table(0x5000, b"XSDT", &FADT.to_le_bytes());
    let mut fadt = vec![0; 244 - HEADER as usize];
    fadt[104..112].copy_from_slice(&DSDT.to_le_bytes());
    memory.table(FADT, b"FACP", &fadt);
    assert_eq!(soft_off(&mut memory), Ok(SleepType { a: 5, b: 7 }));
}

#[test]
fn each_step_that_fails_is_named() {
    assert_eq!(soft_off(&mut machine(b"nothing")), Err(Unknown::NoSleepState));
    let mut memory = machine(FIVE_SEVEN);
    memory.put(POINTER + 8, &[99]);
    assert_eq!(soft_off(&mut memory), Err(Unknown::NoPointer));
    let mut memory = machine(FIVE_SEVEN);
    memory.put(FADT + 50, &[1]);
    assert_eq!(soft_off(&mut memory), Err(Unknown::Malformed(*b"FACP")));
    let mut memory = machine(FIVE_SEVEN);
    memory.table(RSDT, b"RSDT", &0x4000_u32.to_le_bytes());
    assert_eq!(soft_off(&mut memory), Err(Unknown::Missing(*b"FACP")));
    let mut memory = machine(FIVE_SEVEN);
    memory.0.remove(&RSDT);
    assert_eq!(soft_off(&mut memory), Err(Unknown::Unreadable(RSDT)));
}

#[test]
fn numbers_that_are_no_sleep_types_are_not_taken() {
    assert_eq!(
        soft_off(&mut machine(b"\x08_S5_\x12\x06\x04\x0a\x08\x00\x00")),
        Err(Unknown::NoSleepState)
    );
    assert_eq!(
        soft_off(&mut machine(b"\x08_S5_\x12\x06\x01\x01\x01\x00\x00")),
        Err(Unknown::NoSleepState)
    );
}

proptest! {
    #[test]
    fn any_code_is_survived(code in prop::collection::vec(any::<u8>(), 0..64), at in 0..64_usize, byte: u8) {
        let mut code = code;
        code.extend(FIVE_SEVEN);
        let at = at % code.len();
        code[at] = byte;
        let _ = soft_off(&mut machine(&code));
    }

    #[test]
    fn any_damage_is_survived(table in prop::sample::select(vec![RSDT, FADT, DSDT, POINTER]), at in 0..40_u64, byte: u8) {
        let mut memory = machine(FIVE_SEVEN);
        memory.put(table + at, &[byte]);
        let _ = soft_off(&mut memory);
    }
}
