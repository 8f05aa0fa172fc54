//! The command line, saved from memory that soon belongs to somebody else.
//!
//! A loader leaves it wherever there was room, often in memory that its own memory map calls free. So it is copied into the
//! image before the first frame is taken, and refused if it is not what it should be: a kernel that silently drops the end of
//! its arguments does something that nobody asked for.

use core::fmt;
use spin::Once;

/// The longest command line that is accepted, in bytes. Linux takes as much on this architecture.
pub const LONGEST: usize = 2048;

/// Why a command line is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandLineError {
    /// It has more than [`LONGEST`] bytes.
    TooLong,
    /// It is not UTF-8 from this byte on.
    NotText(usize),
}

impl fmt::Display for CommandLineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(out, "the command line is longer than {LONGEST} bytes"),
            Self::NotText(position) => write!(out, "the command line is not UTF-8 from byte {position} on"),
        }
    }
}

/// A copy of the command line.
struct Copy {
    bytes: [u8; LONGEST],
    length: usize,
}

/// The copy.
static COPY: Once<Copy> = Once::new();

/// Copies the command line to where it stays. Called once.
///
/// # Errors
/// [`CommandLineError`]
pub fn keep(line: &[u8]) -> Result<&'static str, CommandLineError> {
    check(line)?;
    let copy = COPY.call_once(|| {
        let mut bytes = [0; LONGEST];
        bytes[..line.len()].copy_from_slice(line);
        Copy {
            bytes,
            length: line.len(),
        }
    });
    check(&copy.bytes[..copy.length])
}

/// `line` as text, with white space at its ends removed.
fn check(line: &[u8]) -> Result<&str, CommandLineError> {
    if line.len() > LONGEST {
        return Err(CommandLineError::TooLong);
    }
    let text = str::from_utf8(line).map_err(|error| CommandLineError::NotText(error.valid_up_to()))?;
    Ok(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_command_line_is_refused_by_name() {
        assert_eq!(check(b" log=debug test=all\n"), Ok("log=debug test=all"));
        assert_eq!(check(b"log=\xff"), Err(CommandLineError::NotText(4)));
        assert_eq!(check(&[b'x'; LONGEST + 1]), Err(CommandLineError::TooLong));
    }
}
