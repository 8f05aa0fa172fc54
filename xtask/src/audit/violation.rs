//! What an audit finds wrong.

use super::image::{Function, Image};
use iced_x86::{Formatter, Instruction, IntelFormatter, SymbolResolver};
use std::fmt;

/// Something in an image that must not be there, or that should be and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule that is broken, in a word.
    pub rule: &'static str,
    /// What is wrong, for someone who is to mend it.
    pub what: String,
    /// The function, source line and instruction, where it is one instruction that is wrong.
    pub instruction: Option<String>,
}

impl Violation {
    /// One of the image as a whole, or of its data.
    pub fn new(rule: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            rule,
            what,
            instruction: None,
        }
    }

    /// One of a single instruction.
    pub fn at(
        rule: &'static str,
        what: impl Into<String>,
        image: &Image,
        function: &Function,
        instruction: &Instruction,
    ) -> Self {
        Self {
            instruction: Some(located(image, function, instruction)),
            ..Self::new(rule, what)
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)?;
        match &self.instruction {
            Some(instruction) => write!(f, ": {instruction}"),
            None => Ok(()),
        }
    }
}

/// `instruction` at address, function and source line.
pub fn located(image: &Image, function: &Function, instruction: &Instruction) -> String {
    let place = image.places(instruction.ip()).first().map(|place| format!(", {place}"));
    format!(
        "`{}` at {:#x} in {}{}",
        text(instruction),
        instruction.ip(),
        function.name,
        place.unwrap_or_default()
    )
}

/// An instruction in Intel's syntax, as the project's assembly is written.
pub fn text(instruction: &Instruction) -> String {
    let mut text = String::new();
    formatter(None).format(instruction, &mut text);
    text
}

/// What writes instructions in that syntax, with names for addresses if somebody has them.
pub fn formatter(names: Option<Box<dyn SymbolResolver>>) -> IntelFormatter {
    let mut formatter = IntelFormatter::with_options(names, None);
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_space_after_operand_separator(true);
    options.set_branch_leading_zeros(false);
    options.set_rip_relative_addresses(true);
    formatter
}

#[cfg(test)]
mod tests {
    use super::super::image::sample::image;
    use super::*;
    use iced_x86::code_asm::*;

    #[test]
    fn a_violation_names_function_address_and_instruction() {
        let image = image(&[("culprit", &|a| a.mov(byte_ptr(1).gs(), 1).unwrap())]);
        let function = &image.functions[0];
        let instruction = image.instructions(function)[0];
        let violation = Violation::at("privilege", "not here", &image, function, &instruction);
        assert_eq!(
            violation.to_string(),
            "privilege: not here: `mov byte ptr gs:[1], 1` at 0x0 in culprit"
        );
    }
}
