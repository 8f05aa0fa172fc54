//! The one I/O port that a Xen guest of ours uses.
//!
//! Privileged instructions have no place in this crate, with this exception, and the reason is the test machine: QEMU takes
//! the status it shall end with from a port, and Xen has no hypercall that forwards one. As dom0 a guest may be allowed to
//! use ports; `out` then works in ring 3, at some microseconds a time, for `exit` alone.

use core::arch::asm;

/// Writes `value` to I/O port `port`.
///
/// # Safety
/// The domain was given I/O privilege, and the device at the port does nothing that Rust relies on being left alone.
pub unsafe fn write(port: u16, value: u8) {
    // SAFETY: the caller vouches for privilege and device.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nostack, preserves_flags)) };
}
