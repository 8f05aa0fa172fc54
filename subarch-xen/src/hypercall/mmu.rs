//! Page tables: the three hypercalls that change what is mapped.
//!
//! Xen validates every entry of every table, because an entry names a frame of the machine. `mmu_update` changes entries
//! anywhere, `update_va_mapping` one entry of the current address space (and drops the cached translation with it),
//! `mmuext_op` does everything else. Source: Xen's public header `xen.h`.

use super::{Call, Refused, call};
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
const SELF: u64 = 0x7ff0;

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

/// Makes `entry` the level-1 entry for `address` in the current address space, and drops this CPU's cached translation.
///
/// # Errors
/// As [`mmu_update`]; also if there is no level-1 table for the address.
///
/// # Safety
/// The new translation breaks no reference that anyone holds.
pub unsafe fn update_va_mapping(address: u64, entry: u64) -> Result<u64, Refused> {
    const INVALIDATE_LOCALLY: u64 = 2;
    // SAFETY: the caller vouches for the translation.
    unsafe { call(Call::UpdateVaMapping, [address, entry, INVALIDATE_LOCALLY]) }
}

/// The other operations on page tables that are in use here.
#[derive(Clone, Copy, Debug)]
pub enum Extended {
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
}

/// `mmuext_op`.
#[repr(C)]
struct Operation {
    command: u32,
    argument: u64,
    second: u64,
}

impl Extended {
    /// The operation as Xen wants it.
    #[inline(always)]
    const fn operation(self) -> Operation {
        let (command, argument) = match self {
            Self::PinRoot(frame) => (3, frame.0),
            Self::Unpin(frame) => (4, frame.0),
            Self::NewBase(frame) => (5, frame.0),
            Self::FlushLocal => (6, 0),
            Self::InvalidateLocal(address) => (7, address),
        };
        Operation {
            command,
            argument,
            second: 0,
        }
    }
}

/// Does one extended operation.
///
/// # Errors
/// `EINVAL` or `EBUSY` when a tree is not as Xen wants it, most often because a table of it is mapped writable somewhere.
///
/// # Safety
/// Whoever loads a root vouches that it maps what the kernel uses.
pub unsafe fn extended(operation: Extended) -> Result<u64, Refused> {
    let operation = operation.operation();
    // SAFETY: the operation outlives the call; the caller vouches for a new root, the others cannot harm.
    unsafe { call(Call::MmuextOp, [&raw const operation as u64, 1, 0, SELF]) }
}

const _: () = assert!(size_of::<Update>() == 16 && size_of::<Operation>() == 24);
