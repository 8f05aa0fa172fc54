//! The end of a kernel that met a bug of its own.

use crate::platform::Platform;
use arch::{ConsoleOps, PowerOps};
use core::panic::PanicInfo;

/// Reports a panic and ends the kernel.
pub fn report(_info: &PanicInfo<'_>) -> ! {
    Platform::write(b"PANIC\n");
    Platform::exit(1)
}
