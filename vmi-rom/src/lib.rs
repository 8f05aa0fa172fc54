//! What the ROMs are made of.
//!
//! A VMI ROM is the platform as an object: code that a kernel finds in memory and builds into itself. No hypervisor speaks VMI
//! today, so these ROMs run in ring 0 beside the kernel and do on bare metal what a hypervisor would do beneath it. Each
//! shows one way of being a platform: [`native`](../native/index.html) answers that the kernel may go on as it is,
//! [`call`](../call/index.html) takes over every single operation, and [`soft-if`](../soft_if/index.html) gives the kernel
//! an interrupt flag that is not the processor's. The others are broken, each in its own way, for the tests.
//!
//! A ROM may not be relocated, has no initialised data and no way to report a panic. So there are none: `rom.ld` refuses
//! the first two, and the panic handler here refers to a symbol that does not exist, which fails the link if any
//! panic is left after optimisation. ROMs are therefore always built with `--release`.
#![no_std]
#![allow(
    clippy::disallowed_methods,
    reason = "a ROM lies beneath the border that the lint guards"
)]

pub mod alarm;
pub mod answers;
pub mod cell;
pub mod clock;
pub mod cmos;
pub mod facts;
pub mod gates;
pub mod header;
pub mod operations;
pub mod power;
pub mod soft_if;
pub mod xen;

// On a host ROMs are only checked, never run, and the standard library has the panic handler.
#[cfg(not(target_os = "none"))]
extern crate std;

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_rom_must_not_be_able_to_panic() -> !;
    }
    // SAFETY: this function exists nowhere, so no linked ROM contains this call.
    unsafe { a_rom_must_not_be_able_to_panic() }
}
