//! Copies that are made only when somebody writes: what a fork leaves behind must look as if everything had been copied at once.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::require;
use crate::runtime::child;
use crate::runtime::memory::{self, PAGE};
use crate::runtime::pattern::word;
use crate::runtime::{syscall, thread};
use core::sync::atomic::{AtomicBool, Ordering};
use user_programs::End;

/// Children at the same time, at the most.
const MOST: usize = 64;

/// Parent and children write the same pages at the same time, round after round. Checks:
///
/// 1. each sees what was there at the fork;
/// 2. then its own writing only;
/// 3. every child ended well.
pub fn storm(arguments: &Arguments) -> u8 {
    let rounds = arguments.number(1, 10) as u64;
    let processes = arguments.number(2, 4).min(MOST);
    let pages = arguments.number(3, 32);
    let memory = memory::zeroes(pages * PAGE);
    let mut children = [0; MOST];
    for round in 0..rounds {
        fill(memory, pages, round);
        for (index, child) in children[..processes].iter_mut().enumerate() {
            *child = child::start(|| {
                write_and_look(memory, pages, round, 1000 + round * MOST as u64 + index as u64);
                0
            });
        }
        write_and_look(memory, pages, round, 500_000 + round);
        children[..processes]
            .iter()
            .for_each(|child| child::expect(3, *child, End::Exit(0)));
    }
    0
}

/// Sees `before`, writes `own` from the end to the start, and sees that, however often others write theirs.
fn write_and_look(memory: usize, pages: usize, before: u64, own: u64) {
    require(1, holds(memory, pages, before), "memory is not as it was at the fork");
    for page in (0..pages).rev() {
        memory::write(memory + page * PAGE, word(own, page));
        require(
            1,
            (0..page).all(|below| has(memory, below, before)),
            "somebody else's writing is here",
        );
        if page % 8 == 0 {
            syscall::sched_yield();
        }
    }
    require(2, holds(memory, pages, own), "own writing is lost");
}

fn fill(memory: usize, pages: usize, seed: u64) {
    (0..pages).for_each(|page| memory::write(memory + page * PAGE, word(seed, page)));
}

fn holds(memory: usize, pages: usize, seed: u64) -> bool {
    (0..pages).all(|page| has(memory, page, seed))
}

fn has(memory: usize, page: usize, seed: u64) -> bool {
    memory::read(memory + page * PAGE) == word(seed, page)
}

/// Tells the writing threads to end.
static STOP: AtomicBool = AtomicBool::new(false);
/// Threads that write while the process forks.
const WRITERS: usize = 2;
/// Pages that they write.
const WRITTEN: usize = 4;

/// Forks while other threads of this process write without a pause. A processor that still believes that it may write the old
/// pages would write into the child. Checks:
///
/// 1. what a child sees never changes;
/// 2. every child ended well.
pub fn with_threads(arguments: &Arguments) -> u8 {
    let memory = memory::zeroes(WRITTEN * PAGE);
    let writers = [(); WRITERS].map(|()| thread::start(write_until_told, memory));
    for _ in 0..arguments.number(1, 20) {
        child::must_end(2, End::Exit(0), || {
            look_that_nothing_changes(memory);
            0
        });
    }
    STOP.store(true, Ordering::Relaxed);
    writers.into_iter().for_each(thread::Thread::join);
    0
}

extern "C" fn write_until_told(memory: usize) {
    let mut value = 0;
    while !STOP.load(Ordering::Relaxed) {
        value += 1;
        (0..WRITTEN).for_each(|page| memory::write(memory + page * PAGE, value));
    }
}

/// Looks many times, letting others run now and then.
fn look_that_nothing_changes(memory: usize) {
    let first: [u64; WRITTEN] = core::array::from_fn(|page| memory::read(memory + page * PAGE));
    for turn in 0..2000 {
        let now = core::array::from_fn(|page| memory::read(memory + page * PAGE));
        require(1, first == now, "a child's memory changes by itself");
        if turn % 500 == 0 {
            syscall::sched_yield();
        }
    }
}
