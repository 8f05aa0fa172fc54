//! I/O ports, one access at a time.
//!
//! The devices of the PC's first years (timer, clock, serial line, interrupt controllers) answer at fixed port numbers.
//! Whether such a device exists is another question: a read from a port without one gives all bits set.

use x86_64::instructions::port::{PortRead, PortWrite};

/// Reads from `port`.
///
/// # Safety
/// The device there, if any, is the caller's, and the read has no side effect that anyone else minds.
#[inline(always)]
pub unsafe fn read<T: PortRead>(port: u16) -> T {
    // SAFETY: the caller vouches for the device.
    unsafe { T::read_from_port(port) }
}

/// Writes `value` to `port`.
///
/// # Safety
/// The device there, if any, is the caller's, and does nothing on the write that breaks memory safety.
#[inline(always)]
pub unsafe fn write<T: PortWrite>(port: u16, value: T) {
    // SAFETY: the caller vouches for the device.
    unsafe { T::write_to_port(port, value) }
}
