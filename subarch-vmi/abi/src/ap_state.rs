//! What a ROM is told of a CPU before it is started.
//!
//! The kernel starts its CPUs as on bare metal, through 16-bit code of its own. A ROM sees only the end of that: one day somebody
//! executes its functions with a GS base it has never seen. So it hears of that day in advance, and can put its bytes of
//! that CPU in order.

/// The argument of [`SetInitialAPState`](crate::Call::SetInitialAPState), by address in RDI; valid only during that call.
///
/// It is the state in which the CPU enters the kernel's 64-bit code, with interrupts masked. There it loads the rest, which needs
/// no telling: descriptor tables of its own, then the one IDT that all CPUs share, by [`SetIDT`](crate::Call::SetIDT).
///
/// Fields are only ever appended, and `size` tells a ROM which of them there are.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ApState {
    /// Size of this record in bytes.
    pub size: u32,
    /// The number of the CPU's local APIC, by which the messages that start it will name it.
    pub apic: u32,
    /// Where its 64-bit code begins.
    pub rip: u64,
    /// The end of its stack.
    pub rsp: u64,
    /// The GS base that it will have whenever a site is executed; writable by that address on every CPU. The ROM's bytes are at
    /// [`per_cpu_offset`](crate::InitRecord::per_cpu_offset) from there, and are zero.
    pub gs_base: u64,
    /// Control register 0.
    pub cr0: u64,
    /// Control register 3: the page tables it will move to.
    pub cr3: u64,
    /// Control register 4.
    pub cr4: u64,
    /// The extended-feature register, but for the bit that the processor sets by itself (LMA).
    pub efer: u64,
    /// What its 64-bit code takes in RDI. From here on since ABI 64.3, for a ROM that starts the CPU by other means.
    pub rdi: u64,
    /// What it takes in RSI.
    pub rsi: u64,
    /// Where the CPU must say that it has come, before it enters that code: a word of 32 bits that it exchanges, in one step, from
    /// [`apic`](Self::apic) to [`HAS_COME`]. If the word is something else, it has come too late, and stops for good.
    pub word: u64,
}

/// What the word says that [`ApState::word`] points to when the CPU has come.
pub const HAS_COME: u32 = 0xffff_fffe;

/// Size of the record of ABI 64.1, in which the last three fields are missing.
pub const AP_STATE_SIZE_1: usize = 64;
const _: () = assert!(core::mem::offset_of!(ApState, rdi) == AP_STATE_SIZE_1);

/// Size of the record of ABI 64.3.
pub const AP_STATE_SIZE: usize = 88;
const _: () = assert!(size_of::<ApState>() == AP_STATE_SIZE);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Native};
    use core::mem::offset_of;

    #[test]
    fn the_record_is_laid_out_as_documented() {
        let offsets = [
            offset_of!(ApState, apic),
            offset_of!(ApState, rip),
            offset_of!(ApState, rsp),
            offset_of!(ApState, gs_base),
            offset_of!(ApState, cr0),
            offset_of!(ApState, cr3),
            offset_of!(ApState, cr4),
            offset_of!(ApState, efer),
            offset_of!(ApState, rdi),
            offset_of!(ApState, rsi),
            offset_of!(ApState, word),
        ];
        assert_eq!(offsets, [4, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80]);
    }

    #[test]
    fn a_rom_need_not_listen() {
        assert!(Call::SetInitialAPState.may_be_erased());
        assert_eq!(Call::SetInitialAPState.native(), Native::Bytes(&[]));
    }
}
