//! The flag, and the interrupts it holds back, in this ROM's bytes of each CPU.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | an image of RFLAGS with nothing but bit 9: the flag is bit 1 of byte 1 |
//! | 4 | 1 | not zero if there may be interrupts held back |
//! | 5 | 1 | how many of the notes there are |
//! | 8 | 32 | one bit for each vector held back |
//! | 40 | 24 | notes of [`anywhere`](super::anywhere), a word each |
//!
//! So masking is one store of a byte, and reading the flag is one load, both relative to GS and therefore about this CPU
//! whenever they are executed. The processor's flag of a CPU that was started is still clear at first, and is set with the first
//! unmasking, as on the boot CPU. Only the distance of these bytes from the GS base is the kernel's choice; the two instructions are
//! built around it at *Init*, in the data pages.

use crate::cell::Cell;
use crate::facts::PER_CPU_OFFSET;
use vmi64::{Answer, ApState, PER_CPU_SIZE};

/// Where the byte is that says whether interrupts are held back.
pub const PENDING: usize = 4;
/// Where the number of notes is that wait for the return they were made for.
pub const RETURNS: usize = 5;
/// Where the bits of the vectors are.
pub const VECTORS: usize = 8;
/// Where the notes are.
pub const NOTES: usize = 40;
/// Where they end.
pub const NOTES_END: usize = 64;
const _: () = assert!(NOTES_END <= PER_CPU_SIZE);

/// `mov byte ptr gs:[offset + 1], 0`
static MASK: Cell<[u8; 9]> = Cell::new([0; 9]);
/// `mov eax, gs:[offset]`
static READ: Cell<[u8; 8]> = Cell::new([0; 8]);

/// Builds the two instructions. Part of *Init*.
pub fn start() {
    let offset = PER_CPU_OFFSET.get() as u32;
    let [a, b, c, d] = (offset + 1).to_le_bytes();
    let [e, f, g, h] = offset.to_le_bytes();
    // SAFETY: Init runs alone, with interrupts masked.
    unsafe {
        MASK.set([0x65, 0xc6, 0x04, 0x25, a, b, c, d, 0]);
        READ.set([0x65, 0x8b, 0x04, 0x25, e, f, g, h]);
    }
}

/// Call 62: a CPU begins with its flag clear, and nothing held back.
///
/// # Safety
/// `state` is of a CPU that has not been started.
pub unsafe extern "sysv64" fn prepare(state: &ApState) {
    let bytes = (state.gs_base + PER_CPU_OFFSET.get()) as *mut u64;
    for word in 0..PER_CPU_SIZE / size_of::<u64>() {
        // SAFETY: these bytes of each CPU are a ROM's, and the CPU does not use them yet.
        unsafe { bytes.add(word).write_volatile(0) };
    }
}

/// The answer to call 30.
pub fn mask() -> Answer {
    Answer::Inline {
        address: MASK.pointer() as u64,
        length: size_of_val(&MASK),
    }
}

/// The answer to call 31.
pub fn read() -> Answer {
    Answer::Inline {
        address: READ.pointer() as u64,
        length: size_of_val(&READ),
    }
}
