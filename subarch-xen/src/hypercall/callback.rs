//! Telling Xen where to enter the kernel: exceptions, events, system calls, and the base of GS.
//!
//! Sources: Xen's public headers `arch-x86/xen.h` (`trap_info`), `callback.h`, `arch-x86/xen-x86_64.h` (segment bases).

use super::{Call, Refused, call};

/// One line of the table of exception handlers.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TrapInfo {
    vector: u8,
    flags: u8,
    code_selector: u16,
    address: u64,
}

/// Code selector of a 64-bit guest's kernel, `FLAT_KERNEL_CS`: Xen's own descriptor, since we load no table.
pub const KERNEL_CODE: u16 = 0xe033;

/// Data selector of a 64-bit guest's kernel, `FLAT_KERNEL_SS`.
pub const KERNEL_DATA: u16 = 0xe02b;

/// Bit of [`TrapInfo`]'s flags: events are masked when the handler is entered.
const MASK_EVENTS: u8 = 1 << 2;

impl TrapInfo {
    /// Vector `vector` enters at `address` with events masked; code of privilege `privilege` or less may raise it by `int`.
    pub const fn new(vector: u8, privilege: u8, address: u64) -> Self {
        Self {
            vector,
            flags: privilege | MASK_EVENTS,
            code_selector: KERNEL_CODE,
            address,
        }
    }
}

/// Replaces the table of exception handlers. A line with address zero ends it.
///
/// # Errors
/// Only for a bug: an address that is none, or a selector that Xen does not allow.
///
/// # Safety
/// Each address is a stub that takes the frame Xen pushes for its vector.
pub unsafe fn set_trap_table(table: &[TrapInfo; 33]) -> Result<u64, Refused> {
    assert!(table[32].address == 0, "the table is terminated");
    // SAFETY: the table outlives the call, and the caller vouches for its addresses.
    unsafe { call(Call::SetTrapTable, [table.as_ptr() as u64]) }
}

/// What a callback is for, `CALLBACKTYPE_*`.
#[repr(u16)]
#[derive(Clone, Copy, Debug)]
pub enum CallbackKind {
    /// Events are pending. Always entered with events masked.
    Event = 0,
    /// Xen could not return to the guest with the segments it was asked for.
    Failsafe = 1,
    /// A program executed `syscall`.
    SystemCall = 2,
    /// A program executed `syscall` in 32-bit mode.
    SystemCall32 = 7,
}

#[repr(C)]
struct Register {
    kind: u16,
    flags: u16,
    address: u64,
}

/// Sets where Xen enters the kernel for `kind`, with events masked.
///
/// # Errors
/// Only for an address that is none.
///
/// # Safety
/// `address` is a stub that takes the frame Xen pushes for this kind.
pub unsafe fn register(kind: CallbackKind, address: u64) -> Result<u64, Refused> {
    const REGISTER: u64 = 0;
    const MASK_EVENTS: u16 = 1;
    let request = Register {
        kind: kind as u16,
        flags: MASK_EVENTS,
        address,
    };
    // SAFETY: the request outlives the call, and the caller vouches for the address.
    unsafe { call(Call::CallbackOp, [REGISTER, &raw const request as u64]) }
}

/// Sets the base of GS for the kernel on this CPU. Xen exchanges it for the user's whenever it crosses over.
///
/// # Errors
/// Only for an address that is none.
///
/// # Safety
/// `base` is what everything that uses GS expects there.
pub unsafe fn set_kernel_gs_base(base: u64) -> Result<u64, Refused> {
    const GS_KERNEL: u64 = 2;
    // SAFETY: the caller vouches for the base.
    unsafe { call(Call::SetSegmentBase, [GS_KERNEL, base]) }
}

const _: () = assert!(size_of::<TrapInfo>() == 16 && size_of::<Register>() == 16);
