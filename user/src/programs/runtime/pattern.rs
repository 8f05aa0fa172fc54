//! Patterns for memory and registers: they look random, differ from place to place, and repeat.

/// The word that belongs at `position` of the pattern `seed`.
pub const fn word(seed: u64, position: usize) -> u64 {
    let mixed = (seed.rotate_left(32) ^ position as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}
