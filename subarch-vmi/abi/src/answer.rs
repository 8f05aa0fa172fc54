//! A ROM's answer about one call, and what must be true of it before it may touch the kernel.
//!
//! An answer leads into the ROM: to code that a site will call or jump to, or to bytes that a site will become. Both must
//! lie where the ROM lives. Nothing else can be checked from outside; but what can be is checked for *all* calls before the first
//! site is changed, so that a ROM is taken whole or not at all.

use crate::call::{Call, Shape};
use core::fmt;
use core::ops::Range;

/// What *GetRelocationInfo* returns, as it left the registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct RawAnswer {
    /// RAX: an address, where the kind has one.
    pub address: u64,
    /// RDX: the kind in bits 0 to 7, the number of bytes of an inline answer in the bits above.
    pub kind_and_length: u64,
}

/// Keep the native bytes.
pub const KIND_NONE: u64 = 0;
/// Call the address.
pub const KIND_CALL_REL: u64 = 1;
/// Jump to the address.
pub const KIND_JUMP_REL: u64 = 2;
/// Erase the site.
pub const KIND_NOP: u64 = 3;
/// Copy bytes from the address over the site.
pub const KIND_INLINE: u64 = 4;

/// What a site becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It keeps its native bytes.
    None,
    /// `call rel32` to this address.
    CallRel(u64),
    /// `jmp rel32` to this address.
    JumpRel(u64),
    /// Nothing at all.
    Nop,
    /// The bytes at this address.
    Inline {
        /// Where they are.
        address: u64,
        /// How many they are.
        length: usize,
    },
}

/// The addresses at which a ROM lives after it was copied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RomMemory {
    /// The image: what may be executed.
    pub image: Range<u64>,
    /// The data behind it, in which a ROM may have built bytes for a site.
    pub data: Range<u64>,
}

/// Why an answer is not acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerError {
    /// The ABI has no such kind.
    UnknownKind(u64),
    /// The target of a call or jump is not in the image.
    TargetOutside(u64),
    /// The bytes for a site are not in the ROM's memory.
    BytesOutside(u64),
    /// More bytes than the site has, or none at all.
    InlineLength(u64),
    /// A jump at a site to which the call must come back.
    Jump,
    /// A call at a site where there may be no stack to return by.
    Call,
    /// The site of a call that must be carried out was to be erased.
    Erased,
}

impl RawAnswer {
    /// The answer as registers.
    pub const fn encode(answer: Answer) -> Self {
        let (address, kind_and_length) = match answer {
            Answer::None => (0, KIND_NONE),
            Answer::CallRel(target) => (target, KIND_CALL_REL),
            Answer::JumpRel(target) => (target, KIND_JUMP_REL),
            Answer::Nop => (0, KIND_NOP),
            Answer::Inline { address, length } => (address, KIND_INLINE | (length as u64) << 8),
        };
        Self {
            address,
            kind_and_length,
        }
    }

    /// The answer about `call`, if it is acceptable from a ROM that lives in `memory`.
    pub fn check(self, call: Call, memory: &RomMemory) -> Result<Answer, AnswerError> {
        match self.kind_and_length & 0xff {
            KIND_NONE => Ok(Answer::None),
            KIND_CALL_REL if call.shape() == Shape::Arrival => Err(AnswerError::Call),
            KIND_CALL_REL => self.target(memory).map(Answer::CallRel),
            KIND_JUMP_REL if call.shape() != Shape::Departure => Err(AnswerError::Jump),
            KIND_JUMP_REL => self.target(memory).map(Answer::JumpRel),
            KIND_NOP if !call.may_be_erased() => Err(AnswerError::Erased),
            KIND_NOP => Ok(Answer::Nop),
            KIND_INLINE => self.inline(call, memory),
            unknown => Err(AnswerError::UnknownKind(unknown)),
        }
    }

    /// The target of a call or jump, which must be code of the ROM.
    fn target(self, memory: &RomMemory) -> Result<u64, AnswerError> {
        if memory.image.contains(&self.address) {
            Ok(self.address)
        } else {
            Err(AnswerError::TargetOutside(self.address))
        }
    }

    /// The bytes of an inline answer, all of which must be the ROM's.
    fn inline(self, call: Call, memory: &RomMemory) -> Result<Answer, AnswerError> {
        let length = self.kind_and_length >> 8;
        if length == 0 || length > call.site_length() as u64 {
            return Err(AnswerError::InlineLength(length));
        }
        let holds = |range: &Range<u64>| {
            self.address >= range.start && self.address.checked_add(length).is_some_and(|end| end <= range.end)
        };
        if holds(&memory.image) || holds(&memory.data) {
            Ok(Answer::Inline {
                address: self.address,
                length: length as usize,
            })
        } else {
            Err(AnswerError::BytesOutside(self.address))
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind(kind) => write!(out, "a relocation of unknown kind {kind}"),
            Self::TargetOutside(address) => write!(out, "a relocation outside the ROM, to {address:#x}"),
            Self::BytesOutside(address) => write!(out, "inline bytes outside the ROM, at {address:#x}"),
            Self::InlineLength(length) => write!(out, "{length} inline bytes, which do not fit the site"),
            Self::Jump => write!(out, "a jump, where the call must return"),
            Self::Call => write!(out, "a call, where there may be no stack"),
            Self::Erased => write!(out, "nothing, for a call that must be carried out"),
        }
    }
}

impl core::error::Error for AnswerError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MEMORY: RomMemory = RomMemory {
        image: 0x1000..0x1800,
        data: 0x2000..0x3000,
    };

    fn check(call: Call, answer: Answer) -> Result<Answer, AnswerError> {
        RawAnswer::encode(answer).check(call, &MEMORY)
    }

    #[test]
    fn good_answers_survive_the_registers() {
        let inline = Answer::Inline {
            address: 0x2ff7,
            length: 9,
        };
        assert_eq!(check(Call::DisableInterrupts, inline), Ok(inline));
        assert_eq!(
            check(Call::SetCR3, Answer::CallRel(0x17ff)),
            Ok(Answer::CallRel(0x17ff))
        );
        assert_eq!(check(Call::IRET, Answer::JumpRel(0x1000)), Ok(Answer::JumpRel(0x1000)));
        assert_eq!(check(Call::AllocatePage, Answer::Nop), Ok(Answer::Nop));
        assert_eq!(check(Call::SwapGS, Answer::Nop), Ok(Answer::Nop));
        assert_eq!(check(Call::Halt, Answer::None), Ok(Answer::None));
    }

    #[test]
    fn bad_answers_are_named() {
        let cases = [
            (Call::Halt, Answer::CallRel(0x1800), AnswerError::TargetOutside(0x1800)),
            (Call::Halt, Answer::CallRel(0x2000), AnswerError::TargetOutside(0x2000)),
            (Call::IRET, Answer::JumpRel(0xfff), AnswerError::TargetOutside(0xfff)),
            (Call::Halt, Answer::JumpRel(0x1000), AnswerError::Jump),
            (Call::Halt, Answer::Nop, AnswerError::Erased),
            (Call::SwapGS, Answer::CallRel(0x1000), AnswerError::Call),
            (Call::SwapGS, Answer::JumpRel(0x1000), AnswerError::Jump),
            (
                Call::Halt,
                Answer::Inline {
                    address: 0x1000,
                    length: 6,
                },
                AnswerError::InlineLength(6),
            ),
            (
                Call::Halt,
                Answer::Inline {
                    address: 0x1000,
                    length: 0,
                },
                AnswerError::InlineLength(0),
            ),
            (
                Call::Halt,
                Answer::Inline {
                    address: 0x17fe,
                    length: 3,
                },
                AnswerError::BytesOutside(0x17fe),
            ),
            (
                Call::Halt,
                Answer::Inline {
                    address: u64::MAX,
                    length: 3,
                },
                AnswerError::BytesOutside(u64::MAX),
            ),
        ];
        for (call, answer, error) in cases {
            assert_eq!(check(call, answer), Err(error));
        }
        let unknown = RawAnswer {
            address: 0x1000,
            kind_and_length: 5,
        };
        assert_eq!(unknown.check(Call::Halt, &MEMORY), Err(AnswerError::UnknownKind(5)));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_lies_inside(address: u64, near in 0u64..0x4000, kind in 0u64..7, length: u16, call in 0..Call::ALL.len()) {
            for address in [address, near] {
                let raw = RawAnswer { address, kind_and_length: kind | u64::from(length) << 8 };
                match raw.check(Call::ALL[call], &MEMORY) {
                    Ok(Answer::CallRel(target) | Answer::JumpRel(target)) => prop_assert!(MEMORY.image.contains(&target)),
                    Ok(Answer::Inline { address, length }) => {
                        prop_assert!(length <= Call::ALL[call].site_length());
                        prop_assert!((0x1000..0x1800).contains(&address) || (0x2000..0x3000).contains(&address));
                    }
                    Ok(Answer::None | Answer::Nop) | Err(_) => {}
                }
            }
        }
    }
}
