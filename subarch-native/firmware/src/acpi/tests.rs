use super::root::checksum;
use super::*;
use crate::Input;
use crate::physical::Pieces;
use proptest::prelude::*;

/// A table with `signature` around `body`, its checksum put right.
fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut table = vec![0; 36];
    table.extend(body);
    table[..4].copy_from_slice(signature);
    let length = table.len() as u32;
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[9] = checksum(&table).wrapping_neg();
    table
}

fn root_pointer(list: u32) -> Vec<u8> {
    let mut pointer = [b"RSD PTR \0ANYRNG\0".as_slice(), &list.to_le_bytes()].concat();
    pointer[8] = checksum(&pointer).wrapping_neg();
    pointer
}

/// A fixed description table in the way QEMU's `pc` machine has it.
fn fixed() -> Vec<u8> {
    let mut body = vec![0; 244 - 36];
    let mut put = |offset: usize, bytes: &[u8]| body[offset - 36..offset - 36 + bytes.len()].copy_from_slice(bytes);
    put(40, &0x5000u32.to_le_bytes());
    put(48, &0xb2u32.to_le_bytes());
    put(52, &[2]);
    put(64, &0x604u32.to_le_bytes());
    put(76, &0x608u32.to_le_bytes());
    put(91, &[4]);
    put(108, &[0x32]);
    put(112, &RESET_FLAG.to_le_bytes());
    put(116, &[1, 8, 0, 0]);
    put(120, &0xcf9u64.to_le_bytes());
    put(128, &[0xf]);
    table(b"FACP", &body)
}

const RESET_FLAG: u32 = 1 << 10;

fn interrupts() -> Vec<u8> {
    let cpu = |id: u8, flags: u8| [0, 8, id, id, flags, 0, 0, 0];
    let mut body = [0xfee0_0000u32.to_le_bytes(), 1u32.to_le_bytes()].concat();
    body.extend([cpu(0, 1), cpu(1, 1), cpu(2, 0)].as_flattened());
    body.extend([1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
    body.extend([1, 12, 1, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0]);
    body.extend([2, 10, 0, 4, 28, 0, 0, 0, 0x0f, 0]);
    body.extend([9, 16, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    body.extend([9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    table(b"APIC", &body)
}

/// `Name (_S5, Package (4) { 5, 7, Zero, Zero })`.
const SOFT_OFF: &[u8] = &[
    0x08, b'_', b'S', b'5', b'_', 0x12, 0x08, 0x04, 0x0a, 0x05, 0x0a, 0x07, 0x00, 0x00,
];

fn machine() -> Pieces {
    let list = [0x3000u32, 0x4000].map(u32::to_le_bytes);
    Pieces(vec![
        (0xf_0120, root_pointer(0x2000)),
        (0x2000, table(b"RSDT", list.as_flattened())),
        (0x3000, fixed()),
        (0x4000, interrupts()),
        (0x5000, table(b"DSDT", SOFT_OFF)),
    ])
}

#[test]
fn a_machine_is_read() {
    let firmware = Firmware::read(&machine(), None);
    let fixed = firmware.fixed.expect("there is a table");
    assert_eq!(fixed.enable, Some((0xb2, 2)));
    assert_eq!(fixed.control, [Some(Register::Port(0x604)), None]);
    assert_eq!(fixed.timer, Some(0x608));
    assert_eq!(fixed.reset, Some((Register::Port(0xcf9), 0xf)));
    assert_eq!(fixed.century, 0x32);
    assert_eq!(firmware.soft_off, Some(SleepTypes([5, 7])));
    let interrupts = firmware.interrupts.expect("there is a table");
    assert_eq!(interrupts.cpus, [0, 1].into_iter().collect());
    assert_eq!(firmware.cpus, interrupts.cpus);
    let serial = Input {
        registers: 0xfec0_1000,
        number: 4,
        active_low: true,
        level_triggered: true,
    };
    assert_eq!(interrupts.serial[0], Some(serial));
}

#[test]
fn the_root_pointer_may_be_known() {
    let mut memory = machine();
    memory.0[0].0 = 0x123;
    assert!(Firmware::read(&memory, None).fixed.is_none());
    assert!(Firmware::read(&memory, Some(0x123)).fixed.is_some());
}

#[test]
fn a_table_that_does_not_add_up_is_missing() {
    let mut memory = machine();
    memory.0[2].1[60] ^= 1;
    let firmware = Firmware::read(&memory, None);
    assert!(firmware.fixed.is_none());
    assert!(firmware.interrupts.is_some());
}

#[test]
fn soft_off_is_found_in_the_forms_firmware_writes_it() {
    let forms: [&[u8]; 3] = [
        &[0x08, b'\\', b'_', b'S', b'5', b'_', 0x12, 0x06, 0x02, 0x00, 0x01],
        &[
            0x08, b'_', b'S', b'5', b'_', 0x12, 0x47, 0x00, 0x02, 0x00, 0x0b, 0x01, 0x00,
        ],
        &[
            0xff, b'_', b'S', b'5', b'_', 0x08, b'_', b'S', b'5', b'_', 0x12, 0x06, 0x02, 0x00, 0x01,
        ],
    ];
    for form in forms {
        assert_eq!(SleepTypes::find(form), Some(SleepTypes([0, 1])), "{form:x?}");
    }
    assert_eq!(SleepTypes::find(&SOFT_OFF[..9]), None);
    assert_eq!(SleepTypes::find(b"\x08_S5_\x12\x06\x02\x0a\x09\x00"), None);
}

proptest! {
    /// Tables are the firmware's: whatever is in them, reading ends, without a fault.
    #[test]
    fn odd_tables_never_fault(
        mut fixed in prop::collection::vec(any::<u8>(), 0..300),
        interrupts in prop::collection::vec(any::<u8>(), 0..300),
        block in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Some(pointer) = fixed.get_mut(4..8) {
            pointer.copy_from_slice(&0x5000u32.to_le_bytes());
        }
        let mut memory = machine();
        memory.0[2].1 = table(b"FACP", &fixed);
        memory.0[3].1 = table(b"APIC", &interrupts);
        memory.0[4].1 = table(b"DSDT", &[SOFT_OFF, &block].concat());
        Firmware::read(&memory, None);
        SleepTypes::find(&block);
    }
}
