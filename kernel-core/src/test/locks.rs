//! Locks: each kind keeps threads of all CPUs out of each other's way, and keeps to what it promises while it is held.

mod goods;

use super::threads::{PATIENCE, need_two_cpus, rounds, spawn, spawn_on, wait_for};
use super::{Case, Outcome, Trouble, check, check_eq};
use crate::irq;
use crate::platform::Platform;
use crate::smp::{self, run_on};
use crate::sync::{IrqLock, Mutex, SpinLock};
use crate::task::{self, JoinHandle};
use alloc::sync::Arc;
use alloc::vec::Vec;
use arch::TimeOps;
use arch::percpu::{preemption_depth, this_cpu};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "locks-irq-lock-is-shared-by-threads",
        run: irq_lock_is_shared,
    },
    Case {
        name: "locks-irq-lock-is-shared-with-handlers",
        run: irq_lock_is_shared_with_handlers,
    },
    Case {
        name: "locks-spin-lock-is-shared",
        run: spin_lock_is_shared,
    },
    Case {
        name: "locks-spin-lock-keeps-the-cpu-but-not-interrupts",
        run: spin_lock_keeps_the_cpu,
    },
    Case {
        name: "locks-spin-lock-is-awaited-with-interrupts",
        run: spin_lock_is_awaited_with_interrupts,
    },
    Case {
        name: "locks-mutex-is-shared",
        run: mutex_is_shared,
    },
    Case {
        name: "locks-mutex-lets-waiters-sleep",
        run: mutex_lets_waiters_sleep,
    },
    Case {
        name: "locks-irq-lock-passes-goods",
        run: goods::pass_under_an_irq_lock,
    },
    Case {
        name: "locks-spin-lock-passes-goods",
        run: goods::pass_under_a_spin_lock,
    },
    Case {
        name: "locks-mutex-passes-goods",
        run: goods::pass_under_a_mutex,
    },
    Case {
        name: "locks-wait-lists-pass-goods",
        run: goods::pass_between_wait_lists,
    },
];

/// Has four threads for each CPU add to a counter by `add`, which is not atomic, many times. Returns how often.
fn count_together(add: impl Fn() + Send + Sync + 'static) -> Result<u64, Trouble> {
    const ROUNDS: u64 = 500;
    let add = Arc::new(add);
    let count = u64::from(smp::online().len()) * 4;
    let threads: Result<Vec<_>, _> = (0..count)
        .map(|_| {
            let add = add.clone();
            spawn(move || (0..ROUNDS).for_each(|_| add()))
        })
        .collect();
    threads?.into_iter().for_each(JoinHandle::join);
    Ok(count * ROUNDS)
}

fn irq_lock_is_shared() -> Outcome {
    let total = Arc::new(IrqLock::new(0u64));
    let shared = total.clone();
    let expected = count_together(move || *shared.lock() += 1)?;
    check_eq!(*total.lock(), expected);
    Ok(())
}

fn irq_lock_is_shared_with_handlers() -> Outcome {
    static TOTAL: IrqLock<u64> = IrqLock::new(0);
    fn add(_: u64) {
        *TOTAL.lock() += 1;
    }
    *TOTAL.lock() = 0;
    let expected = Arc::new(AtomicU64::new(0));
    // On a busy host an answer takes as long as the host lets the other CPU wait.
    let end = Platform::now() + Duration::from_millis(50);
    // Each CPU is busy with the lock, and called from next door to take it in a handler.
    let cpus = smp::online();
    let threads: Result<Vec<_>, _> = cpus
        .iter()
        .map(|cpu| {
            let next = cpus.iter().find(|next| *next > cpu).or_else(|| cpus.iter().next());
            let expected = expected.clone();
            spawn_on(cpu, move || {
                for _ in rounds(100, end) {
                    add(0);
                    next.into_iter().for_each(|next| run_on(next, add, 0));
                    expected.fetch_add(2, Relaxed);
                }
            })
        })
        .collect();
    threads?.into_iter().for_each(JoinHandle::join);
    check_eq!(*TOTAL.lock(), expected.load(Relaxed));
    Ok(())
}

fn spin_lock_is_shared() -> Outcome {
    let total = Arc::new(SpinLock::new(0u64));
    let shared = total.clone();
    let expected = count_together(move || *shared.lock() += 1)?;
    check_eq!(*total.lock(), expected);
    Ok(())
}

fn spin_lock_keeps_the_cpu() -> Outcome {
    let (outer, inner) = (SpinLock::new(()), SpinLock::new(()));
    let guards = (outer.lock(), inner.lock());
    let held = (preemption_depth(), irq::is_masked());
    drop(guards);
    check_eq!(held, (2, false));
    check_eq!(preemption_depth(), 0);
    Ok(())
}

fn spin_lock_is_awaited_with_interrupts() -> Outcome {
    need_two_cpus()?;
    static ANSWERS: AtomicU64 = AtomicU64::new(0);
    fn answer(_: u64) {
        ANSWERS.fetch_add(1, Relaxed);
    }
    ANSWERS.store(0, Relaxed);
    let lock = Arc::new(SpinLock::new(false));
    let (theirs, waits) = (lock.clone(), Arc::new(AtomicBool::new(false)));
    let held = lock.lock();
    let Some(other) = smp::online().without(this_cpu()).iter().next() else {
        return Ok(());
    };
    let begins = waits.clone();
    let waiter = spawn_on(other, move || {
        begins.store(true, Relaxed);
        *theirs.lock() = true;
    })?;
    let began = wait_for(|| waits.load(Relaxed));
    // It spins now, or is about to.
    (0..5).for_each(|_| run_on(other, answer, 0));
    let entered = *held;
    drop(held);
    waiter.join();
    check!(began, "the other CPU did not begin within {PATIENCE:?}");
    check_eq!((ANSWERS.load(Relaxed), entered, *lock.lock()), (5, false, true));
    Ok(())
}

fn mutex_is_shared() -> Outcome {
    let total = Arc::new(Mutex::new(0u64));
    let shared = total.clone();
    let expected = count_together(move || {
        let mut total = shared.lock();
        let seen = *total;
        if seen.is_multiple_of(64) {
            task::yield_now();
        }
        *total = seen + 1;
    })?;
    check_eq!(*total.lock(), expected);
    Ok(())
}

fn mutex_lets_waiters_sleep() -> Outcome {
    let lock = Arc::new(Mutex::new(0u64));
    let held = lock.lock();
    let here = this_cpu();
    // On this very CPU: if the waiters did not sleep, nothing else would run here.
    let threads: Result<Vec<_>, _> = (0..8)
        .map(|_| {
            let lock = lock.clone();
            spawn_on(here, move || *lock.lock() += 1)
        })
        .collect();
    let threads = threads?;
    task::sleep(Duration::from_millis(2));
    let meanwhile = *held;
    drop(held);
    threads.into_iter().for_each(JoinHandle::join);
    check_eq!((meanwhile, *lock.lock()), (0, 8));
    Ok(())
}
