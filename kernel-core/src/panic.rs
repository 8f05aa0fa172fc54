//! The end of a kernel that met a bug of its own: tell everything, then do what `panic=` says.

use crate::console::Direct;
use crate::platform::Platform;
use crate::{fault, options, power};
use arch::{IrqOps, PowerOps};
use core::fmt::{Arguments, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use kernel_logic::command_line::OnPanic;

/// The status the kernel ends with after a crash.
const CRASHED: u8 = 1;

/// Reports a panic and ends the kernel.
pub fn report(info: &PanicInfo<'_>) -> ! {
    die(|| {
        tell(format_args!("PANIC: {}\n", info.message()));
        if let Some(place) = info.location() {
            tell(format_args!("at {place}\n"));
        }
        fault::print_backtrace_from_here();
    })
}

/// Masks interrupts, lets `report` write to the console, and ends. A crash during the report is only mentioned.
pub fn die(report: impl FnOnce()) -> ! {
    static REPORTING: AtomicBool = AtomicBool::new(false);
    Platform::disable();
    if REPORTING.swap(true, Relaxed) {
        tell(format_args!(
            "\nPANIC: another crash while the first was being reported\n"
        ));
    } else {
        report();
    }
    match options::get().panic {
        OnPanic::Exit => power::exit(CRASHED),
        OnPanic::Reboot => power::reboot(),
        OnPanic::Halt => {
            tell(format_args!("halted, as `panic=halt` says\n"));
            Platform::crash()
        }
    }
}

/// Writes to the console past its lock, whose holder may be what crashed.
pub fn tell(text: Arguments<'_>) {
    // Writing to the console cannot fail; a failing `Display` cannot be helped here.
    let _ = Direct.write_fmt(text);
}
