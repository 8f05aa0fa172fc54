//! Threads of one process: shared memory, locks, joining, and the end of all at once.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::child::must_end;
use crate::runtime::errno::Errno;
use crate::runtime::lock::Lock;
use crate::runtime::syscall::{FUTEX_PRIVATE, futex_wait, futex_wake};
use crate::runtime::thread::{self, Thread};
use crate::runtime::{syscall, time};
use core::cell::UnsafeCell;
use core::hint::black_box;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use user_programs::{End, Signal};

/// Threads at the same time, at the most.
const MOST: usize = 64;

/// A number that only the lock beside it protects.
struct Guarded(Lock, UnsafeCell<u64>);
// SAFETY: the number is touched with the lock held, or when only one thread is left.
unsafe impl Sync for Guarded {}

static COUNTER: Guarded = Guarded(Lock::new(), UnsafeCell::new(0));
static ROUNDS: AtomicUsize = AtomicUsize::new(0);

/// Lets threads count together under a lock, and checks:
///
/// 1. no turn is lost;
/// 2. each thread has an FS base of its own;
/// 3. they have one process number and different thread numbers.
pub fn run(arguments: &Arguments) -> u8 {
    let count = arguments.number(1, 4).min(MOST);
    let rounds = arguments.number(2, 500);
    ROUNDS.store(rounds, Ordering::Relaxed);
    let own = syscall::getpid();
    let mut threads: [Option<Thread>; MOST] = [const { None }; MOST];
    threads[..count]
        .iter_mut()
        .for_each(|thread| *thread = Some(thread::start(count_under_lock, own)));
    threads.into_iter().flatten().for_each(Thread::join);
    // SAFETY: all other threads have ended.
    require_equal(1, unsafe { *COUNTER.1.get() }, (count * rounds) as u64, "the count");
    0
}

extern "C" fn count_under_lock(process: usize) {
    let number = syscall::gettid();
    require_equal(3, syscall::getpid(), process, "the process's number");
    require(3, number != process, "a thread has the first one's number");
    for turn in 0..ROUNDS.load(Ordering::Relaxed) {
        // SAFETY: the lock is held.
        COUNTER.0.with(|| unsafe { *COUNTER.1.get() += 1 });
        require_equal(2, thread::head().argument, process, "what FS leads to");
        if turn % 64 == 0 {
            syscall::sched_yield();
        }
    }
    require_equal(3, syscall::gettid(), number, "the thread's number");
}

static WORD: AtomicU32 = AtomicU32::new(5);

/// Checks futexes:
///
/// 1. a word with another value is not waited for;
/// 2. a wait with a limit ends;
/// 3. but not too early;
/// 4. nobody is woken where nobody waits;
/// 5. who waits is woken;
/// 6. an operation that does not exist is refused.
pub fn futex(_: &Arguments) -> u8 {
    let wait = |value, time| futex_wait(&WORD, value, FUTEX_PRIVATE, time);
    require_equal(1, wait(4, None), Err(Errno::EAGAIN), "waiting for another value");
    let before = time::now();
    require_equal(
        2,
        wait(5, Some(&[0, 3_000_000])),
        Err(Errno::ETIMEDOUT),
        "waiting in vain",
    );
    require(
        3,
        time::now() - before >= 3_000_000,
        "a wait with a limit was too short",
    );
    require_equal(4, futex_wake(&WORD, 1, FUTEX_PRIVATE), Ok(0), "waking nobody");
    let waiter = thread::start(wait_for_change, 0);
    time::sleep(5);
    WORD.store(6, Ordering::Release);
    futex_wake(&WORD, 1, FUTEX_PRIVATE).expect("a futex can be woken");
    waiter.join();
    require_equal(5, WORD.load(Ordering::Acquire), 7, "what the waiter left");
    require_equal(
        6,
        futex_wait(&WORD, 0, 100, None),
        Err(Errno::ENOSYS),
        "an operation that does not exist",
    );
    0
}

extern "C" fn wait_for_change(_: usize) {
    while WORD.load(Ordering::Acquire) == 5 {
        let result = futex_wait(&WORD, 5, FUTEX_PRIVATE, None);
        require(
            5,
            matches!(result, Ok(0) | Err(Errno::EAGAIN)),
            "a wait without a limit failed",
        );
    }
    WORD.store(7, Ordering::Release);
}

/// Ends processes that have busy and sleeping threads, and checks:
///
/// 1. exit_group by any thread ends all, with its status;
/// 2. so does a fault of any thread;
/// 3. the exit of the first thread does not.
pub fn exit_of_all(_: &Arguments) -> u8 {
    must_end(1, End::Exit(9), || {
        thread::start(spin, 0);
        thread::start(sleep_long, 0);
        thread::start(exit_all, 9);
        sleep_long(0);
        1
    });
    must_end(2, End::Killed(Signal::Segmentation), || {
        thread::start(spin, 0);
        thread::start(sleep_long, 0);
        thread::start(fault, 0);
        sleep_long(0);
        1
    });
    must_end(3, End::Exit(10), || {
        thread::start(exit_all, 10);
        syscall::exit(1)
    });
    0
}

extern "C" fn spin(_: usize) {
    loop {
        black_box(0);
    }
}

extern "C" fn sleep_long(_: usize) {
    time::sleep(60_000);
}

extern "C" fn exit_all(status: usize) {
    time::sleep(5);
    syscall::exit_group(status as u8)
}

extern "C" fn fault(_: usize) {
    time::sleep(5);
    crate::runtime::memory::write(0, 0);
}
