//! What a program is told: arguments, environment, and the auxiliary vector.

use super::print::println;
use super::syscall;
use crate::status;
use core::ffi::{CStr, c_char};

/// The block at the start of the stack (System V ABI for AMD64, figure 3.9).
#[derive(Debug, Clone, Copy)]
pub struct Arguments {
    stack: *const usize,
    /// How many leading arguments are skipped.
    skipped: usize,
}

impl Arguments {
    /// The block at `stack`.
    ///
    /// # Safety
    /// `stack` is the stack pointer at the entry of the program, and what it leads to stays as it is.
    pub unsafe fn at(stack: *const usize) -> Self {
        Self { stack, skipped: 0 }
    }

    /// The same without the first argument.
    pub fn shifted(self) -> Self {
        Self {
            skipped: self.skipped + 1,
            ..self
        }
    }

    /// Argument `index`; the program's name is argument 0.
    pub fn get(&self, index: usize) -> Option<&'static str> {
        let index = index + self.skipped;
        (index < self.word(0)).then(|| self.text(1 + index))
    }

    /// Argument `index` as a number, decimal or with `0x` hexadecimal; `usual` if it is not there.
    pub fn number(&self, index: usize, usual: usize) -> usize {
        let Some(text) = self.get(index) else {
            return usual;
        };
        parse(text).unwrap_or_else(|| self.refuse("expects a number, not", text))
    }

    /// Argument `index`, which must be there.
    pub fn required(&self, index: usize) -> &'static str {
        self.get(index).unwrap_or_else(|| self.refuse("lacks an argument", ""))
    }

    /// Ends the program because it was called wrongly.
    pub fn refuse(&self, why: &str, what: &str) -> ! {
        println!("programs: {} {why} {what}", self.get(0).unwrap_or("nothing"));
        syscall::exit_group(status::USAGE)
    }

    /// The environment.
    pub fn environment(&self) -> impl Iterator<Item = &'static str> {
        let first = self.environment_start();
        (first..)
            .take_while(|&index| self.word(index) != 0)
            .map(|index| self.text(index))
    }

    /// The auxiliary vector: pairs of a type and a value (Linux, getauxval(3)).
    pub fn auxiliary(&self) -> impl Iterator<Item = (usize, usize)> {
        let first = self.environment_start() + self.environment().count() + 1;
        let pairs = (first..)
            .step_by(2)
            .map(|index| (self.word(index), self.word(index + 1)));
        pairs.take_while(|pair| pair.0 != 0)
    }

    fn environment_start(&self) -> usize {
        1 + self.word(0) + 1
    }

    /// The text that word `index` of the block leads to.
    fn text(&self, index: usize) -> &'static str {
        // SAFETY: by the ABI the word is the address of a text that ends with a zero, and by `at` it stays.
        let text = unsafe { CStr::from_ptr(self.word(index) as *const c_char) };
        text.to_str().expect("an argument is UTF-8")
    }

    /// Word `index` of the block.
    fn word(&self, index: usize) -> usize {
        // SAFETY: nobody asks for a word behind the one that ends the auxiliary vector.
        unsafe { self.stack.add(index).read() }
    }
}

/// A decimal or, with `0x`, hexadecimal number.
fn parse(text: &str) -> Option<usize> {
    match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
