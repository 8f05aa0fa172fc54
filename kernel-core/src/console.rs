//! The console: whole messages out, whole lines in.

mod input;

pub use input::{read_line, receive};

use crate::platform::Platform;
use crate::sync::IrqLock;
use arch::ConsoleOps;
use core::fmt::{self, Arguments, Write};

/// Keeps messages of different CPUs and of interrupt handlers apart.
static OUTPUT: IrqLock<Direct> = IrqLock::new(Direct);

/// The platform's console without a lock, for those who cannot wait: a panic, and the very end.
#[derive(Clone, Copy, Debug)]
pub struct Direct;

impl Write for Direct {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Platform::write(text.as_bytes());
        Ok(())
    }
}

/// Prints one message that no other gets into.
pub fn print(text: Arguments<'_>) {
    // Only a failing `Display` of the caller's can make this fail, and there is no better place to say so.
    let _ = OUTPUT.lock().write_fmt(text);
}

/// Writes bytes that no message gets into.
pub fn write(bytes: &[u8]) {
    let _whole = OUTPUT.lock();
    Platform::write(bytes);
}

/// Prints to the console.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::console::print(format_args!($($text)*)) };
}

/// Prints a line to the console.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($text:tt)+) => { $crate::console::print(format_args!("{}\n", format_args!($($text)+))) };
}
