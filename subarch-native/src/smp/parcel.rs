//! What a CPU finds when it wakes: everything it needs to know, at the end of the page it wakes in.
//!
//! There is one parcel, for one CPU at a time, and its first word says for which. A CPU takes it by exchanging its own number
//! for [`TAKEN`]. So a CPU that is woken too late, when it was given up and the parcel is the next one's, finds a number that is
//! not its own, and stops without having touched anything.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// The parcel's place in the page.
pub const OFFSET: usize = 0x800;

/// The first word, while the parcel is nobody's.
pub const NOBODY: u32 = u32::MAX;

/// The first word, once the CPU has taken the parcel.
pub const TAKEN: u32 = u32::MAX - 1;

/// The place in the page of a parcel's part.
macro_rules! place {
    ($part:ident) => {
        $crate::smp::parcel::OFFSET + ::core::mem::offset_of!($crate::smp::parcel::Parcel, $part)
    };
}
pub(super) use place;

/// What `lgdt` reads, in the mode whose addresses have 32 bits.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug)]
pub struct Descriptors {
    limit: u16,
    base: u32,
}

/// The target of a jump into another code segment.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug)]
pub struct FarPointer {
    offset: u32,
    selector: u16,
}

/// The segments used on the way, by their places in [`Parcel::segments`].
const CODE_32: u16 = 8;
/// Data of 32-bit code.
pub const DATA_32: u16 = 16;
const CODE_64: u16 = 24;

/// The parcel, as the trampoline's assembly reads it.
#[repr(C)]
#[derive(Debug)]
pub struct Parcel {
    /// Whose it is: the number of a local APIC, `NOBODY` or `TAKEN`.
    pub owner: AtomicU32,
    /// Control register 0, whose lower half is all there is.
    pub cr0: u32,
    /// Control register 4, the same.
    pub cr4: u32,
    /// What to set in the lower half of the extended-feature register.
    pub efer: u32,
    /// The physical address of page tables that show the trampoline where it is.
    pub start_root: u32,
    /// The segments' table.
    pub descriptors: Descriptors,
    /// The 32-bit code.
    pub protected: FarPointer,
    /// The 64-bit code.
    pub long: FarPointer,
    /// The segments.
    pub segments: [u64; 4],
    /// The physical address of the kernel's page tables.
    pub root: u64,
    /// The end of the CPU's stack.
    pub stack: u64,
    /// The CPU's area.
    pub area: u64,
    /// Where the kernel goes on in Rust.
    pub entry: u64,
}

const _: () = assert!(OFFSET + size_of::<Parcel>() <= 4096 && offset_of!(Parcel, owner) == 0);

impl Parcel {
    /// A parcel for nobody, in the page at physical address `page`, whose 32-bit and 64-bit code starts at `protected` and `long`.
    pub fn new(page: u32, protected: usize, long: usize) -> Self {
        let far = |offset: usize, selector| FarPointer {
            offset: page + offset as u32,
            selector,
        };
        Self {
            owner: AtomicU32::new(NOBODY),
            cr0: 0,
            cr4: 0,
            efer: 0,
            start_root: 0,
            descriptors: Descriptors {
                limit: size_of::<[u64; 4]>() as u16 - 1,
                base: page + place!(segments) as u32,
            },
            protected: far(protected, CODE_32),
            long: far(long, CODE_64),
            segments: [0, 0x00cf_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0x00af_9b00_0000_ffff],
            root: 0,
            stack: 0,
            area: 0,
            entry: 0,
        }
    }

    /// Addresses the parcel, which is complete, to the CPU of local APIC `id`.
    pub fn address_to(&self, id: u8) {
        self.owner.store(id.into(), Release);
    }

    /// Whether the CPU has taken it.
    pub fn is_taken(&self) -> bool {
        self.owner.load(Acquire) == TAKEN
    }

    /// Takes the parcel back from the CPU of local APIC `id`; false if that was faster.
    pub fn withdraw(&self, id: u8) -> bool {
        self.owner.compare_exchange(id.into(), NOBODY, Acquire, Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_is_taken_or_withdrawn_but_not_both() {
        let parcel = Parcel::new(0x9_0000, 0x40, 0x80);
        parcel.address_to(3);
        assert!(!parcel.is_taken() && !parcel.withdraw(4) && parcel.withdraw(3));
        parcel.address_to(5);
        parcel.owner.store(TAKEN, Release);
        assert!(parcel.is_taken() && !parcel.withdraw(5));
    }

    #[test]
    fn jumps_lead_into_the_page() {
        let parcel = Parcel::new(0x9_0000, 0x40, 0x80);
        let (protected, long) = (parcel.protected, parcel.long);
        assert_eq!(({ protected.offset }, { protected.selector }), (0x9_0040, 8));
        assert_eq!(({ long.offset }, { long.selector }), (0x9_0080, 24));
        assert_eq!({ parcel.descriptors.base } as usize, 0x9_0000 + place!(segments));
    }
}
