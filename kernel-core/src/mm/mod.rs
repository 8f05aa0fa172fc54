//! Memory: frames, the heap made of them, and the kernel's own mappings.

pub mod frames;
pub mod heap;
pub mod mappings;
pub mod stack;

use arch::Boot;

/// Takes over the memory that the platform left.
pub fn init(boot: &Boot) {
    frames::init(boot);
}
