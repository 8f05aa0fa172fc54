//! Padding that the processor skips in as few steps as possible.
//!
//! The sequences of one to nine bytes are those that both manufacturers recommend (Intel SDM, vol. 2, "NOP"); the assembler's
//! `.nops` directive writes the same, so that padding made at compile time and at activation compares equal.

/// The longest single instruction used.
const LONGEST: usize = 9;

const SEQUENCES: [&[u8]; LONGEST] = [
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f, 0x00],
    &[0x0f, 0x1f, 0x40, 0x00],
    &[0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/// Fills `bytes` with instructions that do nothing, long ones first.
pub const fn fill(mut bytes: &mut [u8]) {
    while let length @ 1.. = bytes.len() {
        let length = if length < LONGEST { length } else { LONGEST };
        let (chunk, rest) = bytes.split_at_mut(length);
        chunk.copy_from_slice(SEQUENCES[length - 1]);
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_sorted_by_length() {
        assert!(
            SEQUENCES
                .iter()
                .enumerate()
                .all(|(index, bytes)| bytes.len() == index + 1)
        );
    }

    #[test]
    fn any_length_is_filled() {
        for length in 0..40 {
            let mut bytes = vec![0xcc; length];
            fill(&mut bytes);
            assert!(!bytes.contains(&0xcc));
        }
        let mut bytes = [0; 11];
        fill(&mut bytes);
        assert_eq!(bytes[9..], [0x66, 0x90]);
    }
}
