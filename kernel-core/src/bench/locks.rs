//! Locks: taking and giving back what nobody else wants, and handing over what somebody waits for.

use super::Benchmark;
use super::meter::{Figures, measure, measure_several};
use super::threads::beside;
use crate::sync::{IrqLock, Mutex};
use crate::task;
use alloc::sync::Arc;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::new("irq-lock", irq_lock),
    Benchmark::new("mutex", mutex),
    Benchmark::new("mutex-hand-over", hand_over),
];

fn irq_lock() -> Figures {
    static LOCK: IrqLock<u64> = IrqLock::new(0);
    measure(|| *LOCK.lock() += black_box(1))
}

fn mutex() -> Figures {
    static MUTEX: Mutex<u64> = Mutex::new(0);
    measure(|| *MUTEX.lock() += black_box(1))
}

/// Two threads that take a lock in turns, each while the other has it, so that it must sleep: one is woken and two switches happen until
/// the lock has changed hands.
fn hand_over() -> Figures {
    let shared = Arc::new((Mutex::new(0), AtomicBool::new(false)));
    let theirs = shared.clone();
    let other = beside(move || {
        while !theirs.1.load(Relaxed) {
            take_turn(&theirs.0);
        }
    });
    let figures = measure_several(2, || take_turn(&shared.0));
    shared.1.store(true, Relaxed);
    other.join();
    figures
}

/// Takes the lock, lets the other one run and find it taken, gives it back, and lets the other one take it.
fn take_turn(lock: &Mutex<u64>) {
    let mut value = lock.lock();
    *value += 1;
    task::yield_now();
    drop(value);
    task::yield_now();
}
