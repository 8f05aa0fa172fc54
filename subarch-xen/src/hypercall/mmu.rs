//! Page tables: the three hypercalls that change what is mapped.
//!
//! Xen validates every entry of every table, because an entry names a frame of the machine. `mmu_update` changes entries
//! anywhere, `update_va_mapping` one entry of the current address space (and drops the cached translation with it),
//! `mmuext_op` does everything else. Source: Xen's public header `xen.h`.

use super::{Call, Refused, call};
use core::array::from_fn;
use core::fmt;

/// A frame of the machine, as Xen counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Mfn(pub u64);

impl fmt::Debug for Mfn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Mfn({:#x})", self.0)
    }
}

/// This domain, `DOMID_SELF`.
pub const SELF: u64 = 0x7ff0;

/// One change of an entry: its machine address (the two low bits say "an ordinary update") and what it shall be.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub struct Update {
    /// Machine address of the entry.
    pub entry: u64,
    /// The entry's new bits.
    pub value: u64,
}

/// Makes `updates`, in order.
///
/// # Errors
/// `EINVAL`, `EBUSY` or others when an entry would break Xen's rules; the updates before it were made.
///
/// # Safety
/// The new translations break no reference that anyone holds.
pub unsafe fn mmu_update(updates: &[Update]) -> Result<u64, Refused> {
    const NOT_INTERESTED: u64 = 0;
    let (list, count) = (updates.as_ptr() as u64, updates.len() as u64);
    // SAFETY: Xen only reads the list, during the call; the caller vouches for the updates.
    unsafe { call(Call::MmuUpdate, [list, count, NOT_INTERESTED, SELF]) }
}

/// Whose cached translation goes with an entry that is replaced.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum Invalidate {
    /// This CPU's.
    Here = 2,
    /// That of every CPU that runs the domain.
    Everywhere = 6,
}

/// Makes `entry` the level-1 entry for `address` in the current address space, and drops the cached translation.
///
/// # Errors
/// As [`mmu_update`]; also if there is no level-1 table for the address.
///
/// # Safety
/// The new translation breaks no reference that anyone holds.
pub unsafe fn update_va_mapping(address: u64, entry: u64, stale: Invalidate) -> Result<u64, Refused> {
    // SAFETY: the caller vouches for the translation.
    unsafe { call(Call::UpdateVaMapping, [address, entry, stale as u64]) }
}

/// The other operations on page tables that are in use here.
#[derive(Clone, Copy, Debug)]
pub enum Extended<'a> {
    /// Validates a whole tree and keeps it valid until it is unpinned.
    PinRoot(Mfn),
    /// Gives up a pinned tree: its pages are ordinary again where nothing else refers to them.
    Unpin(Mfn),
    /// Loads a root on this CPU, for the kernel.
    NewBase(Mfn),
    /// Drops all cached translations of this CPU.
    FlushLocal,
    /// Drops the cached translation of the page at an address on this CPU.
    InvalidateLocal(u64),
    /// Drops all cached translations of the CPUs in a set, and waits until they are.
    FlushOn(&'a Cpus),
    /// Drops the cached translation of the page at an address on the CPUs in a set, and waits until it is.
    InvalidateOn(u64, &'a Cpus),
    /// Drops all cached translations of every CPU that runs the domain.
    FlushEverywhere,
    /// Drops the cached translation of the page at an address on every CPU that runs the domain.
    InvalidateEverywhere(u64),
    /// Loads a root on this CPU, for programs; or takes theirs away. Translations cached from the one before stay.
    NewUserBase(Option<Mfn>),
}

/// A set of virtual CPUs: a bit for each. Xen reads as many bits as the domain has CPUs, hence more words than the CPUs that
/// the kernel can use have bits: the others never run.
#[derive(Clone, Copy, Debug)]
pub struct Cpus([u64; 8]);

impl Cpus {
    /// The CPUs whose bits are set, CPU 0 being the lowest.
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Self {
        Self([bits, 0, 0, 0, 0, 0, 0, 0])
    }
}

/// `mmuext_op`, an operation as Xen wants it.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Operation {
    command: u32,
    argument: u64,
    second: u64,
}

impl Extended<'_> {
    /// It, as Xen wants it.
    #[inline(always)]
    fn operation(self) -> Operation {
        let (command, argument, second) = match self {
            Self::PinRoot(frame) => (3, frame.0, 0),
            Self::Unpin(frame) => (4, frame.0, 0),
            Self::NewBase(frame) => (5, frame.0, 0),
            Self::FlushLocal => (6, 0, 0),
            Self::InvalidateLocal(address) => (7, address, 0),
            Self::FlushOn(cpus) => (8, 0, cpus.0.as_ptr() as u64),
            Self::InvalidateOn(address, cpus) => (9, address, cpus.0.as_ptr() as u64),
            Self::FlushEverywhere => (10, 0, 0),
            Self::InvalidateEverywhere(address) => (11, address, 0),
            Self::NewUserBase(frame) => (15, frame.map_or(0, |frame| frame.0), 0),
        };
        Operation {
            command,
            argument,
            second,
        }
    }
}

/// Does extended operations, in order.
///
/// # Errors
/// `EINVAL` or `EBUSY` when a tree is not as Xen wants it, most often because a table of it is mapped writable somewhere. The
/// operations before the refused one were done, those behind it were not.
///
/// # Safety
/// Whoever loads a root for the kernel vouches that it maps what the kernel uses.
#[inline(always)]
pub unsafe fn extended<const N: usize>(operations: [Extended<'_>; N]) -> Result<u64, Refused> {
    let operations = operations.map(Extended::operation);
    // SAFETY: the operations and what they point to outlive the call; the caller vouches for a new root, the others cannot harm.
    unsafe { call(Call::MmuextOp, [operations.as_ptr() as u64, N as u64, 0, SELF]) }
}

/// How many operations [`extended_few`] takes at the most.
pub const FEW: usize = 4;

/// Does `count` extended operations, in order, the one of number `n` being `operation(n)`.
///
/// # Errors
/// As [`extended`].
///
/// # Safety
/// As for [`extended`]; `count` is at most [`FEW`].
pub unsafe fn extended_few<'a>(count: usize, operation: impl Fn(usize) -> Extended<'a>) -> Result<u64, Refused> {
    debug_assert!(count <= FEW, "{count} operations are not few");
    let operations: [Operation; FEW] = from_fn(|number| operation(number).operation());
    // SAFETY: as in `extended`.
    unsafe { call(Call::MmuextOp, [operations.as_ptr() as u64, count as u64, 0, SELF]) }
}

const _: () = assert!(size_of::<Update>() == 16 && size_of::<Operation>() == 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_the_programs_root_away_is_loading_frame_0() {
        let command = |root| {
            let Operation { command, argument, .. } = Extended::NewUserBase(root).operation();
            (command, argument)
        };
        assert_eq!(command(Some(Mfn(7))), (15, 7));
        assert_eq!(command(None), (15, 0));
    }
}
