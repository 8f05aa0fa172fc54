//! Why an address space cannot be as it was asked to be.

use super::{LOWEST, MAX_REGIONS};
use arch::layout::USER_END;
use core::fmt;
use core::ops::Range;

/// A request that was refused; nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegionError {
    /// The address is not that of a page's first byte.
    Unaligned(u64),
    /// There are no pages between the start and the end.
    Empty,
    /// These addresses are not, or not all, for programs.
    OutOfBounds(Range<u64>),
    /// The program has a page at this address already.
    Overlaps(u64),
    /// The program has no page at this address.
    NotMapped(u64),
    /// Nobody may both write and execute a page.
    WriteAndExecute,
    /// There would be more than [`MAX_REGIONS`].
    TooMany,
}

impl fmt::Display for RegionError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unaligned(address) => write!(out, "{address:#x} is not the start of a page"),
            Self::Empty => write!(out, "there are no pages in this range"),
            Self::OutOfBounds(range) => write!(
                out,
                "{:#x}..{:#x} is not within {LOWEST:#x}..{USER_END:#x}, where programs live",
                range.start, range.end
            ),
            Self::Overlaps(address) => write!(out, "{address:#x} is mapped already"),
            Self::NotMapped(address) => write!(out, "{address:#x} is not mapped"),
            Self::WriteAndExecute => write!(out, "no page may be both written and executed"),
            Self::TooMany => write!(out, "an address space has no more than {MAX_REGIONS} regions"),
        }
    }
}
