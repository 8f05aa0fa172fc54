//! Why a program cannot be given its arguments.

use super::{MAX_IMAGE, MAX_STRING};
use core::fmt;

/// A stack that cannot be filled, with the value that is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StackError {
    /// An argument or a string of the environment has so many bytes, more than [`MAX_STRING`] with its terminating zero.
    StringTooLong(usize),
    /// An argument or a string of the environment has a zero at this position, where it would end for the program.
    ZeroInString(usize),
    /// All together would take so many bytes, more than [`MAX_IMAGE`].
    TooLarge(u64),
    /// No stack can end at this address: it is no multiple of 16, or not where programs live.
    BadTop(u64),
}

impl fmt::Display for StackError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StringTooLong(length) => {
                write!(
                    out,
                    "an argument has {length} bytes, fewer than {MAX_STRING} are possible"
                )
            }
            Self::ZeroInString(position) => write!(out, "byte {position} of an argument is zero"),
            Self::TooLarge(size) => write!(
                out,
                "the arguments and the environment take {size} bytes, {MAX_IMAGE} are possible"
            ),
            Self::BadTop(top) => write!(out, "no stack can end at {top:#x}"),
        }
    }
}
