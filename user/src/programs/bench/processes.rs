//! Processes: changing from one to another, and making them.

use super::sample::{measure, timed};
use crate::runtime::arguments::Arguments;
use crate::runtime::child;
use crate::runtime::syscall;
use user_programs::{End, Signal};

/// Calls in a batch.
const COUNT: u64 = 500;

/// Two processes that let each other run: half of what passes between two of the parent's calls, so one call and one switch. Both must
/// be on one CPU, or nothing is switched.
pub fn yields(_: &Arguments) -> u8 {
    let other = child::start(|| {
        loop {
            syscall::sched_yield();
        }
    });
    measure("yield", 2 * COUNT, || {
        timed(|| (0..COUNT).for_each(|_| syscall::sched_yield()))
    });
    syscall::kill(other, Signal::Kill as usize).expect("a child can be killed");
    child::expect(1, other, End::Killed(Signal::Kill));
    0
}

/// Makes a process that exits at once, and waits for it.
pub fn fork(_: &Arguments) -> u8 {
    measure("fork-exit-wait", 10, || {
        timed(|| (0..10).for_each(|_| child::must_end(1, End::Exit(0), || 0)))
    })
}
