//! The bytes that a site becomes.
//!
//! A near call or jump reaches 2 GiB either way, and a ROM's copy is mapped within reach of the kernel on purpose; the distance is
//! computed and tested all the same, because a wrapped one would lead anywhere.

use crate::answer::Answer;
use crate::nop;
use core::fmt;

/// First byte of `call rel32`.
pub const CALL_REL32: u8 = 0xe8;
/// First byte of `jmp rel32`.
pub const JUMP_REL32: u8 = 0xe9;
/// Size of either.
const BRANCH: usize = 5;

/// Why an answer cannot be put at a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PatchError {
    /// The target is farther away than a near branch reaches.
    TooFar {
        /// The site.
        site: u64,
        /// The target.
        target: u64,
    },
    /// The site is shorter than what belongs there.
    TooShort {
        /// Bytes that there are.
        length: usize,
        /// Bytes that there should be.
        needed: usize,
    },
}

/// Rewrites `bytes`, those of the site at address `site`, as `answer` says. `inline` are the bytes of an inline answer.
///
/// Returns whether the bytes are now others than the native ones may have been, that is, whether they are to be written.
pub fn rewrite(answer: Answer, site: u64, inline: &[u8], bytes: &mut [u8]) -> Result<bool, PatchError> {
    match answer {
        Answer::None => return Ok(false),
        Answer::CallRel(target) => branch(CALL_REL32, site, target, bytes)?,
        Answer::JumpRel(target) => branch(JUMP_REL32, site, target, bytes)?,
        Answer::Nop => nop::fill(bytes),
        Answer::Inline { .. } => put(inline, bytes)?,
    }
    Ok(true)
}

/// Makes `bytes` a near branch from `site` to `target`, then padding.
fn branch(opcode: u8, site: u64, target: u64, bytes: &mut [u8]) -> Result<(), PatchError> {
    let distance = target.wrapping_sub(site.wrapping_add(BRANCH as u64)) as i64;
    let distance = i32::try_from(distance).map_err(|_| PatchError::TooFar { site, target })?;
    let mut code = [opcode; BRANCH];
    code[1..].copy_from_slice(&distance.to_le_bytes());
    put(&code, bytes)
}

/// Makes `bytes` `code`, then padding.
fn put(code: &[u8], bytes: &mut [u8]) -> Result<(), PatchError> {
    let length = bytes.len();
    let (head, tail) = bytes.split_at_mut_checked(code.len()).ok_or(PatchError::TooShort {
        length,
        needed: code.len(),
    })?;
    head.copy_from_slice(code);
    nop::fill(tail);
    Ok(())
}

impl fmt::Display for PatchError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFar { site, target } => write!(out, "{target:#x} is out of reach of the site at {site:#x}"),
            Self::TooShort { length, needed } => write!(out, "a site of {length} bytes where {needed} are needed"),
        }
    }
}

impl core::error::Error for PatchError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SITE: u64 = 0xffff_ffff_8010_0000;

    #[test]
    fn branches_go_both_ways_and_are_padded() {
        let mut bytes = [0xcc; 9];
        assert_eq!(rewrite(Answer::CallRel(SITE + 0x105), SITE, &[], &mut bytes), Ok(true));
        assert_eq!(bytes, [0xe8, 0, 1, 0, 0, 0x0f, 0x1f, 0x40, 0]);
        let mut bytes = [0xcc; 5];
        assert_eq!(rewrite(Answer::JumpRel(SITE), SITE, &[], &mut bytes), Ok(true));
        assert_eq!(bytes, [0xe9, 0xfb, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn inline_and_erased_sites_are_padded_and_native_ones_kept() {
        let inline = Answer::Inline { address: 0, length: 2 };
        let mut bytes = [0xcc; 5];
        assert_eq!(rewrite(Answer::None, SITE, &[], &mut bytes), Ok(false));
        assert_eq!(bytes, [0xcc; 5]);
        assert_eq!(rewrite(inline, SITE, &[0xfb, 0xf4], &mut bytes), Ok(true));
        assert_eq!(bytes, [0xfb, 0xf4, 0x0f, 0x1f, 0x00]);
        assert_eq!(rewrite(Answer::Nop, SITE, &[], &mut bytes), Ok(true));
        assert_eq!(bytes, [0x0f, 0x1f, 0x44, 0, 0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let error = PatchError::TooShort { length: 4, needed: 5 };
        assert_eq!(rewrite(Answer::CallRel(SITE), SITE, &[], &mut [0; 4]), Err(error));
        let target = SITE - 0x1_0000_0000;
        assert_eq!(
            rewrite(Answer::CallRel(target), SITE, &[], &mut [0; 5]),
            Err(PatchError::TooFar { site: SITE, target })
        );
    }

    proptest! {
        #[test]
        fn a_branch_leads_where_it_was_told_or_is_refused(site: u64, target: u64, near in -0x8000_0000i64..0x8000_0000) {
            for target in [target, site.wrapping_add_signed(near)] {
                let mut bytes = [0; 5];
                if rewrite(Answer::CallRel(target), site, &[], &mut bytes).is_ok() {
                    let distance = i32::from_le_bytes(bytes[1..].try_into().unwrap());
                    prop_assert_eq!(site.wrapping_add(5).wrapping_add_signed(i64::from(distance)), target);
                }
            }
        }
    }
}
