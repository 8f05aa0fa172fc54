//! The registers a call may change, as a set.
//!
//! A call site promises the ROM that certain registers hold nothing of value, and the ROM promises not to touch any
//! other. The first promise is written down in each site's record, the second in the ABI; activation compares the two.

use bitflags::bitflags;

bitflags! {
    /// General-purpose registers that may be changed, numbered as the processor numbers them. The flags register is always
    /// among the changed ones and has no bit.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Clobbers: u16 {
        /// RAX, in which results are given.
        const RAX = 1 << 0;
        /// RCX.
        const RCX = 1 << 1;
        /// RDX.
        const RDX = 1 << 2;
        /// RBX, which only CPUID changes.
        const RBX = 1 << 3;
        /// RSI.
        const RSI = 1 << 6;
        /// RDI.
        const RDI = 1 << 7;
        /// R8.
        const R8 = 1 << 8;
        /// R9.
        const R9 = 1 << 9;
        /// R10.
        const R10 = 1 << 10;
        /// R11.
        const R11 = 1 << 11;
    }
}

impl Clobbers {
    /// Nothing but the flags register: the calls on the interrupt flag, and those that do not return.
    pub const FLAGS: Self = Self::empty();

    /// What any function may change by the System V convention, SSE and x87 registers excepted: a ROM touches none of these.
    pub const STANDARD: Self = Self::RAX
        .union(Self::RCX)
        .union(Self::RDX)
        .union(Self::RSI)
        .union(Self::RDI)
        .union(Self::R8)
        .union(Self::R9)
        .union(Self::R10)
        .union(Self::R11);

    /// The outputs of an instruction that reads a counter.
    pub const COUNTER: Self = Self::RAX.union(Self::RDX);

    /// The outputs of CPUID.
    pub const IDENTIFICATION: Self = Self::RAX.union(Self::RBX).union(Self::RCX).union(Self::RDX);
}
