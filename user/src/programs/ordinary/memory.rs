//! Anonymous memory: it starts as zeroes, keeps what is written, can be taken back, and its rights hold.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::child::must_end;
use crate::runtime::memory::{self, PAGE, READ, WRITE};
use crate::runtime::pattern::word;
use user_programs::{End, Signal};

/// Words in a page.
const WORDS: usize = PAGE / 8;

/// Maps memory and checks:
///
/// 1. it is zero;
/// 2. it keeps what is written;
/// 3. read-only, it still has it;
/// 4. and no child can write it;
/// 5. writable again, it can be written;
/// 6. what is unmapped, in the middle or as a whole, is gone;
/// 7. and what is beside it is not;
/// 8. a hole can be filled, with zeroes;
/// 9. memory without rights cannot be read.
pub fn run(arguments: &Arguments) -> u8 {
    let length = arguments.number(1, 1 << 20).next_multiple_of(PAGE).max(3 * PAGE);
    let start = memory::zeroes(length);
    content(start, length);
    rights(start, length);
    holes(start, length);
    memory::unmap(start, length).expect("what was mapped, with a hole in it, can be unmapped");
    must_end(6, End::Killed(Signal::Segmentation), || memory::read(start) as u8);
    0
}

/// Zeroes, then a pattern.
fn content(start: usize, length: usize) {
    for page in pages(start, length) {
        let zero = (0..WORDS).all(|index| memory::read(page + 8 * index) == 0);
        require(1, zero, "fresh memory is not zero");
    }
    fill(start, length, 1);
    require(2, holds(start, length, 1), "memory has lost what was written");
}

/// Rights come and go.
fn rights(start: usize, length: usize) {
    let killed = End::Killed(Signal::Segmentation);
    memory::protect(start, length, READ).expect("memory can be made read-only");
    require(3, holds(start, length, 1), "read-only memory has changed");
    for page in [start, start + length - PAGE] {
        must_end(4, killed, || {
            memory::write(page, 0);
            0
        });
    }
    memory::protect(start, length, 0).expect("memory can be made unreadable");
    must_end(9, killed, || memory::read(start + PAGE) as u8);
    memory::protect(start, length, READ | WRITE).expect("memory can be made writable again");
    fill(start, length, 2);
    require(5, holds(start, length, 2), "memory has lost what was written again");
}

/// A page in the middle goes, and comes back as zeroes.
fn holes(start: usize, length: usize) {
    let hole = start + length / 2 / PAGE * PAGE;
    memory::unmap(hole, PAGE).expect("a page in the middle can be unmapped");
    must_end(6, End::Killed(Signal::Segmentation), || memory::read(hole) as u8);
    require(7, holds(start, hole - start, 2), "memory below a hole has changed");
    let again = memory::map(hole, PAGE, READ | WRITE, memory::FIXED).expect("a hole can be filled");
    require_equal(8, again, hole, "where a fixed mapping lies");
    require_equal(8, memory::read(hole), 0, "what is in a new page");
    memory::unmap(hole, PAGE).expect("and be made again");
}

/// The addresses of all pages.
fn pages(start: usize, length: usize) -> impl Iterator<Item = usize> {
    (start..start + length).step_by(PAGE)
}

/// Writes the pattern `seed` into every page: some words in its middle, the last, and the first.
fn fill(start: usize, length: usize, seed: u64) {
    for page in pages(start, length) {
        [0, 8, PAGE / 2, PAGE - 8]
            .iter()
            .for_each(|offset| memory::write(page + offset, word(seed, page + offset)));
    }
}

/// Whether the pattern `seed` is still there.
fn holds(start: usize, length: usize, seed: u64) -> bool {
    let mut words = pages(start, length).flat_map(|page| [0, 8, PAGE / 2, PAGE - 8].map(|offset| page + offset));
    words.all(|address| memory::read(address) == word(seed, address))
}
