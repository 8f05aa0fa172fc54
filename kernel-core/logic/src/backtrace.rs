//! Who called whom, from the chain of frame pointers.
//!
//! The kernel is compiled with frame pointers: RBP points at the caller's RBP, and the return address lies above it. A
//! backtrace is wanted most when memory is damaged, so nothing read from the chain is trusted: an address must lie within
//! the stack, be aligned, and the chain must lead upwards.

use core::ops::Range;

/// The return addresses along the chain that starts at frame pointer `rbp`, innermost first.
///
/// `read` gives the 8 bytes at an address that was checked to lie in `stack`, or `None` if that cannot be read after all.
pub fn return_addresses(
    stack: Range<u64>,
    mut rbp: u64,
    mut read: impl FnMut(u64) -> Option<u64>,
) -> impl Iterator<Item = u64> {
    core::iter::from_fn(move || {
        let end = rbp.checked_add(16)?;
        if !rbp.is_multiple_of(8) || rbp < stack.start || end > stack.end {
            return None;
        }
        let (caller, address) = (read(rbp)?, read(rbp + 8)?);
        // A chain that does not lead upwards is damaged, or at its end: the entry code starts with RBP 0.
        rbp = if caller > rbp { caller } else { 0 };
        (address != 0).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: u64 = 0x1000;

    fn trace(words: &[u64], rbp: u64) -> Vec<u64> {
        let stack = BASE..BASE + words.len() as u64 * 8;
        return_addresses(stack, rbp, |address| Some(words[((address - BASE) / 8) as usize])).collect()
    }

    #[test]
    fn follows_the_chain_to_its_end() {
        let words = [BASE + 24, 0xaa, 7, 0, 0xbb, 9];
        assert_eq!(trace(&words, BASE), [0xaa, 0xbb]);
    }

    #[test]
    fn stops_at_loops_and_wild_pointers() {
        assert_eq!(trace(&[BASE, 0xaa], BASE), [0xaa]);
        assert_eq!(trace(&[u64::MAX - 7, 0xaa], BASE), [0xaa]);
        assert_eq!(trace(&[0, 0xaa], BASE + 4), []);
        assert_eq!(trace(&[0, 0xaa], u64::MAX), []);
    }

    proptest! {
        #[test]
        fn always_ends(words in prop::collection::vec(prop_oneof![BASE..BASE + 256, any::<u64>()], 2..32), rbp in BASE..BASE + 256) {
            prop_assert!(trace(&words, rbp).len() <= words.len());
        }
    }
}
