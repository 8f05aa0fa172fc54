//! The stack a program begins with.
//!
//! A program's first instruction is not called by anybody, so what a caller would pass lies on the stack: the arguments, the
//! environment, and the [auxiliary values](super::auxiliary). From the stack pointer upwards (*System V ABI, AMD64 supplement*, fig.
//! 3.9; Linux, `fs/binfmt_elf.c`):
//!
//! | words of 8 bytes | contents |
//! |---|---|
//! | 1 | the number of arguments |
//! | one each, and a zero | addresses of the arguments |
//! | one each, and a zero | addresses of the environment's strings |
//! | two each, and two zeros | auxiliary kinds and values |
//! | | the bytes and strings that all these addresses lead to |

mod error;

use super::auxiliary::AT_NULL;
use super::regions::LOWEST;
use alloc::vec::Vec;
use arch::layout::USER_END;
pub use error::StackError;

/// How long an argument or a string of the environment may be, its terminating zero included: 128 KiB, as in Linux.
pub const MAX_STRING: usize = 128 << 10;

/// How large an image may be, in bytes: a quarter of a stack of 8 MiB, as in Linux.
pub const MAX_IMAGE: u64 = 2 << 20;

/// The stack pointer's alignment at a program's first instruction.
const ALIGNMENT: u64 = 16;

/// A stack's upper end, filled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// The stack pointer that the program begins with, a multiple of 16. The number of arguments is there.
    pub pointer: u64,
    /// What the stack contains from [`pointer`](Self::pointer) up to its top.
    pub bytes: Vec<u8>,
}

/// The image of a stack that ends at `top`, a multiple of 16. The strings are passed without terminating zeros, `auxiliary` without
/// the [end of the list](AT_NULL).
///
/// # Errors
/// [`StackError`] says by name what is too long or impossible.
pub fn image(
    top: u64,
    arguments: &[&[u8]],
    environment: &[&[u8]],
    auxiliary: &[(u64, u64)],
) -> Result<Image, StackError> {
    image_with(top, arguments, environment, auxiliary, &[])
}

/// As [`image`], with `attached` bytes in it whose addresses become further auxiliary values: 16 random bytes for
/// [`AT_RANDOM`](super::auxiliary::AT_RANDOM), a name and its terminating zero for [`AT_EXECFN`](super::auxiliary::AT_EXECFN) or
/// [`AT_PLATFORM`](super::auxiliary::AT_PLATFORM).
///
/// # Errors
/// As for [`image`].
pub fn image_with(
    top: u64,
    arguments: &[&[u8]],
    environment: &[&[u8]],
    auxiliary: &[(u64, u64)],
    attached: &[(u64, &[u8])],
) -> Result<Image, StackError> {
    let strings = strings_size(arguments)? + strings_size(environment)?;
    let attached_size: u64 = attached.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let pairs = auxiliary.len() + attached.len() + 1;
    let table = 8 * (1 + arguments.len() + 1 + environment.len() + 1 + 2 * pairs) as u64;
    let size = (table + attached_size + strings).next_multiple_of(ALIGNMENT);
    if size > MAX_IMAGE {
        return Err(StackError::TooLarge(size));
    }
    if !top.is_multiple_of(ALIGNMENT) || !(LOWEST + MAX_IMAGE..=USER_END).contains(&top) {
        return Err(StackError::BadTop(top));
    }
    let mut filler = Filler::new(top - size, table, size);
    filler.word(arguments.len() as u64);
    filler.strings(arguments);
    filler.strings(environment);
    auxiliary.iter().for_each(|(kind, value)| filler.pair(*kind, *value));
    for (kind, bytes) in attached {
        let address = filler.place(bytes);
        filler.pair(*kind, address);
    }
    filler.pair(AT_NULL, 0);
    Ok(filler.finish(size))
}

/// How much room strings take with their terminating zeros.
fn strings_size(strings: &[&[u8]]) -> Result<u64, StackError> {
    let mut size = 0;
    for string in strings {
        if let Some(zero) = string.iter().position(|byte| *byte == 0) {
            return Err(StackError::ZeroInString(zero));
        }
        if string.len() >= MAX_STRING {
            return Err(StackError::StringTooLong(string.len()));
        }
        size += string.len() as u64 + 1;
    }
    Ok(size)
}

/// An image in the making: the table of words grows up to the contents, which grow up to the top.
struct Filler {
    pointer: u64,
    table: Vec<u8>,
    contents: Vec<u8>,
    /// The address of the next byte of contents.
    next: u64,
}

impl Filler {
    fn new(pointer: u64, table: u64, size: u64) -> Self {
        Self {
            pointer,
            table: Vec::with_capacity(size as usize),
            contents: Vec::with_capacity((size - table) as usize),
            next: pointer + table,
        }
    }

    fn word(&mut self, word: u64) {
        self.table.extend_from_slice(&word.to_le_bytes());
    }

    fn pair(&mut self, kind: u64, value: u64) {
        self.word(kind);
        self.word(value);
    }

    /// Adds to the contents, and returns where.
    fn place(&mut self, bytes: &[u8]) -> u64 {
        self.contents.extend_from_slice(bytes);
        let address = self.next;
        self.next += bytes.len() as u64;
        address
    }

    fn strings(&mut self, strings: &[&[u8]]) {
        for string in strings {
            let address = self.place(string);
            self.place(&[0]);
            self.word(address);
        }
        self.word(0);
    }

    fn finish(self, size: u64) -> Image {
        let mut bytes = self.table;
        bytes.extend_from_slice(&self.contents);
        bytes.resize(size as usize, 0);
        Image {
            pointer: self.pointer,
            bytes,
        }
    }
}

#[cfg(test)]
mod tests;
