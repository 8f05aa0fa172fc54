//! What one processor is told about memory, all must know.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::child::must_end;
use crate::runtime::errno::Errno;
use crate::runtime::memory::{self, FIXED, PAGE, READ, WRITE};
use crate::runtime::thread::{self, Thread};
use crate::runtime::{syscall, time};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use user_programs::{End, Signal};

/// Threads that look, at the most.
const MOST: usize = 16;
/// Pages that are looked at.
const PAGES: usize = 4;

static ROUND: AtomicU64 = AtomicU64::new(0);
static STOP: AtomicBool = AtomicBool::new(false);

/// Puts new pages in the place of old ones while others read them, and checks:
///
/// 1. once the new ones are announced, nobody sees an old one;
/// 2. the new mapping is where it was asked for.
pub fn remap(arguments: &Arguments) -> u8 {
    let memory = memory::zeroes(PAGES * PAGE);
    let readers = arguments.number(2, 3).min(MOST);
    let mut threads: [Option<Thread>; MOST] = [const { None }; MOST];
    threads[..readers]
        .iter_mut()
        .for_each(|thread| *thread = Some(thread::start(read_until_told, memory)));
    for round in 1..=arguments.number(1, 100) as u64 {
        let again = memory::map(memory, PAGES * PAGE, READ | WRITE, FIXED).expect("a mapping can be replaced");
        require_equal(2, again, memory, "where a fixed mapping lies");
        (0..PAGES).for_each(|page| memory::write(memory + page * PAGE, round));
        ROUND.store(round, Ordering::Release);
        syscall::sched_yield();
    }
    STOP.store(true, Ordering::Relaxed);
    threads.into_iter().flatten().for_each(Thread::join);
    0
}

extern "C" fn read_until_told(memory: usize) {
    while !STOP.load(Ordering::Relaxed) {
        for page in 0..PAGES {
            let announced = ROUND.load(Ordering::Acquire);
            let found = memory::read(memory + page * PAGE);
            // Zero is a page newer than what was announced, and not written yet.
            require(1, found == 0 || found >= announced, "a page that is gone was read");
        }
    }
}

/// Takes a page away from threads that write it without a pause. Check 1: the process is killed for it, before the time has come at
/// which it would exit with status 2.
pub fn revoke(arguments: &Arguments) -> u8 {
    let take: fn(usize) -> Result<usize, Errno> = match arguments.required(1) {
        "protect" => |page| memory::protect(page, PAGE, 0),
        "read-only" => |page| memory::protect(page, PAGE, READ),
        "unmap" => |page| memory::unmap(page, PAGE),
        other => arguments.refuse("knows protect, read-only and unmap, not", other),
    };
    must_end(1, End::Killed(Signal::Segmentation), || {
        let page = memory::zeroes(PAGE);
        for _ in 0..2 {
            thread::start(write_for_ever, page);
        }
        time::sleep(20);
        take(page).expect("a page can be taken away");
        time::sleep(5000);
        2
    });
    0
}

extern "C" fn write_for_ever(page: usize) {
    loop {
        memory::write(page, 1);
    }
}
