//! Memory as a program asks for it: pages mapped, taken away, and changed in their rights.

use super::sample::{measure, timed};
use crate::runtime::arguments::Arguments;
use crate::runtime::memory::{PAGE, READ, protect, unmap, write, zeroes};

/// One system call each, for 1, 64 and 512 pages. Those that are taken away or lose a right were all written to before.
pub fn all(_: &Arguments) -> u8 {
    sized(["mmap-1", "mprotect-1", "munmap-1"], 1);
    sized(["mmap-64", "mprotect-64", "munmap-64"], 64);
    sized(["mmap-512", "mprotect-512", "munmap-512"], 512)
}

fn sized([map_name, protect_name, unmap_name]: [&str; 3], pages: usize) -> u8 {
    let size = pages * PAGE;
    measure(map_name, 1, || {
        let mut memory = 0;
        let cycles = timed(|| memory = zeroes(size));
        take_away(memory, size);
        cycles
    });
    measure(protect_name, 1, || {
        let memory = touched(pages);
        let cycles = timed(|| {
            protect(memory, size, READ).expect("rights can be taken");
        });
        take_away(memory, size);
        cycles
    });
    measure(unmap_name, 1, || {
        let memory = touched(pages);
        timed(|| take_away(memory, size))
    })
}

/// Pages of memory, all of them there.
fn touched(pages: usize) -> usize {
    let memory = zeroes(pages * PAGE);
    (0..pages).for_each(|page| write(memory + page * PAGE, 1));
    memory
}

fn take_away(memory: usize, size: usize) {
    unmap(memory, size).expect("what was mapped can be unmapped");
}
