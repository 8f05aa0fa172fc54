//! Page faults that the kernel repairs.

use super::sample::{measure, timed};
use crate::runtime::arguments::Arguments;
use crate::runtime::memory::{self, PAGE};
use crate::runtime::{child, syscall, time};
use user_programs::{End, Signal};

/// Pages in a batch.
const PAGES: usize = 256;

/// First touches of anonymous memory, a page each.
pub fn anonymous(_: &Arguments) -> u8 {
    measure("fault-anonymous", PAGES as u64, || {
        let memory = memory::zeroes(PAGES * PAGE);
        let cycles = timed(|| touch(memory));
        memory::unmap(memory, PAGES * PAGE).expect("what was mapped can be unmapped");
        cycles
    })
}

/// First writes to pages that are shared with a child, which sleeps.
pub fn copy(_: &Arguments) -> u8 {
    let memory = memory::zeroes(PAGES * PAGE);
    touch(memory);
    measure("fault-copy", PAGES as u64, || {
        let child = child::start(|| {
            time::sleep(60_000);
            1
        });
        let cycles = timed(|| touch(memory));
        syscall::kill(child, Signal::Kill as usize).expect("a child can be killed");
        child::expect(1, child, End::Killed(Signal::Kill));
        cycles
    })
}

/// First writes to pages that were shared with a child, which has ended: nothing is to be copied, only an entry to be written. No fault of
/// user mode that a program survives is shorter.
pub fn owner(_: &Arguments) -> u8 {
    let memory = memory::zeroes(PAGES * PAGE);
    touch(memory);
    measure("fault-sole-owner", PAGES as u64, || {
        child::must_end(1, End::Exit(0), || 0);
        timed(|| touch(memory))
    })
}

/// Writes a word in each page.
fn touch(memory: usize) {
    (0..PAGES).for_each(|page| memory::write(memory + page * PAGE, 1));
}
