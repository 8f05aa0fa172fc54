//! How the kernel ends when it is done.

use crate::platform::Platform;
use arch::{ConsoleOps, PowerOps};
use core::fmt::Write;

/// Ends with `status`. The last line on the console repeats it, for whoever sees only that.
pub fn exit(status: u8) -> ! {
    // Nothing may keep a kernel from ending, so this line takes no lock; and writing to the console cannot fail.
    let _ = writeln!(crate::console::Direct, "anyring: exit status {status}");
    Platform::exit(status)
}

/// Switches the machine off.
pub fn off() -> ! {
    Platform::write(b"anyring: power off\n");
    Platform::power_off()
}

/// Starts the machine anew.
pub fn reboot() -> ! {
    Platform::write(b"anyring: reboot\n");
    Platform::reboot()
}
