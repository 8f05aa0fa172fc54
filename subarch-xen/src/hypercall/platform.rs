//! What only dom0 may ask: the sleep states of the machine, and its I/O ports.
//!
//! Sources: Xen's public headers `platform.h` and `physdev.h`.

use super::{Call, Refused, call};

/// `xen_platform_op` for `XENPF_enter_acpi_sleep`, with the padding of the union it is part of.
#[repr(C)]
struct EnterSleep {
    command: u32,
    interface: u32,
    value_a: u16,
    value_b: u16,
    state: u32,
    flags: u32,
    padding: [u8; 116],
}

const _: () = assert!(size_of::<EnterSleep>() == 136);

/// `XENPF_INTERFACE_VERSION`; the same since 2006.
const INTERFACE_VERSION: u32 = 0x0300_0001;

/// Has Xen write `value_a` and `value_b` to the machine's two PM1 control registers, after it has put everything to rest.
///
/// # Errors
/// `EPERM` if this is not dom0 or the firmware named no such registers, `EINVAL` for values that do not ask for a sleep.
pub fn enter_acpi_sleep(state: u32, value_a: u16, value_b: u16) -> Result<u64, Refused> {
    let mut request = EnterSleep {
        command: 51,
        interface: INTERFACE_VERSION,
        value_a,
        value_b,
        state,
        flags: 0,
        padding: [0; 116],
    };
    // SAFETY: the request outlives the call.
    unsafe { call(Call::PlatformOp, [&raw mut request as u64]) }
}

/// Lets the kernel (level 1) use the I/O ports of the machine on this virtual CPU.
///
/// # Errors
/// `EINVAL` for a level above 3.
pub fn set_io_privilege(level: u32) -> Result<u64, Refused> {
    const SET_IOPL: u64 = 6;
    // SAFETY: Xen only reads the level. What the ports are used for is in `port.rs`.
    unsafe { call(Call::PhysdevOp, [SET_IOPL, &raw const level as u64]) }
}
