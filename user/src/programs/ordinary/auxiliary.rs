//! What the kernel tells a program about itself: C libraries cannot start without it.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::memory::{self, PAGE};

/// Types of the auxiliary vector (Linux, auxvec.h).
const AT_PHDR: usize = 3;
const AT_PHENT: usize = 4;
const AT_PAGESZ: usize = 6;
const AT_ENTRY: usize = 9;
const AT_RANDOM: usize = 25;

/// Checks the vector:
///
/// 1. the size of a page;
/// 2. the program headers, their size and that there are some;
/// 3. they belong to an ELF file with the right entry;
/// 4. there are random bytes.
pub fn run(arguments: &Arguments) -> u8 {
    let find = |kind| arguments.auxiliary().find(|pair| pair.0 == kind).map(|pair| pair.1);
    require_equal(1, find(AT_PAGESZ), Some(PAGE), "AT_PAGESZ");
    require_equal(2, find(AT_PHENT), Some(56), "AT_PHENT");
    let headers = find(AT_PHDR).unwrap_or(0);
    require(2, headers != 0, "there is no AT_PHDR");
    // The program headers of `programs` stand right behind its file header, which has the entry at offset 24.
    let file = headers - 64;
    require_equal(
        3,
        memory::read(file) as u32,
        u32::from_le_bytes(*b"\x7fELF"),
        "what is before AT_PHDR",
    );
    require_equal(3, Some(memory::read(file + 24) as usize), find(AT_ENTRY), "AT_ENTRY");
    let random = find(AT_RANDOM).unwrap_or(0);
    require(4, random != 0, "there is no AT_RANDOM");
    require(
        4,
        memory::read(random) != memory::read(random + 8),
        "AT_RANDOM leads to no random bytes",
    );
    0
}
