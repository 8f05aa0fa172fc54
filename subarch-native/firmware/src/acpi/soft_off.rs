//! The value that means "off": sleep state S5, read out of the definition block without interpreting it.
//!
//! The definition block is a program, but `\_S5` in it is a constant package that firmware always encodes the same way, since
//! the encoding (ACPI 6.5, 20.2) leaves little choice. So the name is searched for, and what follows is checked step by step.

/// What to write into the sleep type fields of the two control registers for S5.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SleepTypes(pub [u8; 2]);

/// The operator that gives a name to what follows.
const NAME: u8 = 0x08;

/// The prefix of a name that starts at the root.
const ROOT_PREFIX: u8 = b'\\';

/// The operator that makes a package.
const PACKAGE: u8 = 0x12;

impl SleepTypes {
    /// Finds the package in a definition block.
    pub fn find(block: &[u8]) -> Option<Self> {
        let candidates = block.windows(4).enumerate().filter(|(_, name)| name == b"_S5_");
        candidates
            .filter(|(at, _)| {
                let before = &block[..*at];
                before.ends_with(&[NAME]) || before.ends_with(&[NAME, ROOT_PREFIX])
            })
            .find_map(|(at, _)| Self::parse(&block[at + 4..]))
    }

    /// Reads the package at the start of `code`: operator, length, number of elements, elements.
    fn parse(code: &[u8]) -> Option<Self> {
        let (operator, code) = code.split_first()?;
        let (length, code) = code.split_first()?;
        if *operator != PACKAGE {
            return None;
        }
        // The two top bits say how many more bytes the length has.
        let (elements, code) = code.get(usize::from(length >> 6)..)?.split_first()?;
        let (first, code) = number(code)?;
        let second = if *elements > 1 { number(code)?.0 } else { first };
        Some(Self([first, second]))
    }
}

/// The number at the start of `code`, and what follows it. Sleep types have three bits: larger numbers are none.
fn number(code: &[u8]) -> Option<(u8, &[u8])> {
    const BYTE: u8 = 0x0a;
    const WORD: u8 = 0x0b;
    const DOUBLE_WORD: u8 = 0x0c;
    let (value, rest) = match code {
        [value @ (0 | 1), rest @ ..] => (*value, rest),
        [BYTE, value, rest @ ..] | [WORD, value, 0, rest @ ..] | [DOUBLE_WORD, value, 0, 0, 0, rest @ ..] => {
            (*value, rest)
        }
        _ => return None,
    };
    (value < 8).then_some((value, rest))
}
