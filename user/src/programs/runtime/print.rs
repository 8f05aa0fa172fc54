//! Output, a line at a time, so that lines of several processes do not mix.

use super::syscall;
use core::fmt::{self, Write};

/// A line that is being put together; what is longer than its buffer goes out in parts.
#[derive(Debug)]
pub struct Line {
    bytes: [u8; 256],
    length: usize,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Self {
            bytes: [0; 256],
            length: 0,
        }
    }

    fn flush(&mut self) {
        let mut rest = &self.bytes[..self.length];
        // Where output goes nowhere, there is nobody to tell.
        while let Ok(written @ 1..) = syscall::write(1, rest) {
            rest = &rest[written..];
        }
        self.length = 0;
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.length == self.bytes.len() {
                self.flush();
            }
            self.bytes[self.length] = byte;
            self.length += 1;
        }
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Prints a line.
macro_rules! println {
    ($($argument:tt)*) => {{
        use core::fmt::Write as _;
        let mut line = $crate::runtime::print::Line::new();
        // A line takes whatever it is given.
        let _ = core::writeln!(line, $($argument)*);
    }};
}
pub(crate) use println;
