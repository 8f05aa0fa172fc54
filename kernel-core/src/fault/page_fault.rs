//! What a page fault was: the error code that the processor gives with it.

use core::fmt;

/// Bits of the error code (Intel SDM, vol. 3, figure 4-12).
const PRESENT: u64 = 1 << 0;
const WRITE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const FETCH: u64 = 1 << 4;

/// A page fault, by its error code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageFault(pub u64);

impl PageFault {
    /// Whether it was an access with a program's rights. The processor makes some with its own while a program runs, to read a
    /// descriptor, say (Intel SDM, vol. 3, 4.6.1, "implicit supervisor-mode accesses").
    pub fn is_user(self) -> bool {
        self.0 & USER != 0
    }

    /// Whether an instruction was to be fetched.
    pub fn is_fetch(self) -> bool {
        self.0 & FETCH != 0
    }

    /// Whether it was a write.
    pub fn is_write(self) -> bool {
        self.0 & WRITE != 0
    }
}

impl fmt::Display for PageFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self {
            _ if self.is_fetch() => "execution",
            _ if self.is_write() => "a write",
            _ => "a read",
        };
        let mode = if self.is_user() { "user" } else { "kernel" };
        write!(out, "{access} in {mode} mode")
    }
}

/// Why the page tables did not allow it.
#[derive(Clone, Copy, Debug)]
pub struct Reason(pub PageFault);

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.0 & PRESENT != 0 {
            "which the page does not permit"
        } else {
            "where no page is"
        })
    }
}
