//! Threads: they run, on all CPUs, are preempted, sleep, wait for each other, and end without a trace.

mod moving;

pub(super) use moving::{CASES as MOVING_CASES, LONG_CASES};

use super::{Case, Outcome, Trouble, check, check_eq, failed};
use crate::mm::frames;
use crate::platform::Platform;
use crate::smp;
use crate::sync::IrqLock;
use crate::task::{self, Class, JoinHandle, Options, Priority, WaitList};
use alloc::sync::Arc;
use alloc::vec::Vec;
use arch::percpu::{CpuId, CpuSet, this_cpu};
use arch::{Instant, SmpOps, TimeOps};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "threads-run-and-end",
        run: run_and_end,
    },
    Case {
        name: "threads-leave-no-trace",
        run: leave_no_trace,
    },
    Case {
        name: "threads-are-preempted",
        run: are_preempted,
    },
    Case {
        name: "threads-sleep-in-order",
        run: sleep_in_order,
    },
    Case {
        name: "threads-hand-over-by-waiting",
        run: hand_over_by_waiting,
    },
    Case {
        name: "threads-run-on-every-cpu",
        run: run_on_every_cpu,
    },
    Case {
        name: "threads-spread-over-idle-cpus",
        run: spread_over_idle_cpus,
    },
    Case {
        name: "threads-of-real-time-go-first",
        run: real_time_goes_first,
    },
    Case {
        name: "threads-keep-the-cpu-without-preemption",
        run: keep_the_cpu,
    },
];

/// Longer than anything takes on a busy host.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits, without sleeping, until `condition` holds; `false` if it does not within [`PATIENCE`].
pub(super) fn wait_for(condition: impl Fn() -> bool) -> bool {
    let end = Platform::now() + PATIENCE;
    while !condition() {
        if Platform::now() >= end {
            return condition();
        }
        Platform::spin(0);
    }
    true
}

/// Counts up to `most` rounds, but begins none but the first after `end`.
pub(super) fn rounds(most: u64, end: Instant) -> impl Iterator<Item = u64> {
    (0..most).take_while(move |round| *round == 0 || Platform::now() < end)
}

/// Skips the test where there is only one CPU.
pub(super) fn need_two_cpus() -> Outcome {
    if smp::online().len() > 1 {
        Ok(())
    } else {
        Err(Trouble::Skipped("the machine has one CPU"))
    }
}

pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> Result<JoinHandle, Trouble> {
    task::spawn(work).map_err(failed("starting a thread"))
}

pub(super) fn spawn_on(cpu: CpuId, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle, Trouble> {
    let options = Options {
        affinity: CpuSet::only(cpu),
        ..Options::default()
    };
    task::spawn_with(options, work).map_err(failed("starting a thread"))
}

fn run_and_end() -> Outcome {
    let count = Arc::new(AtomicU64::new(0));
    let threads: Result<Vec<_>, _> = (1..=50u64)
        .map(|number| {
            let count = count.clone();
            spawn(move || {
                count.fetch_add(number, Relaxed);
            })
        })
        .collect();
    threads?.into_iter().for_each(JoinHandle::join);
    check_eq!(count.load(Relaxed), 50 * 51 / 2);
    Ok(())
}

fn leave_no_trace() -> Outcome {
    let round = || (0..20).try_for_each(|_| spawn(task::yield_now).map(JoinHandle::join));
    // Stacks are kept for the next thread, so the first rounds may take memory.
    round()?;
    let before = frames::usage().free;
    for _ in 0..50 {
        round()?;
    }
    check_eq!(frames::usage().free, before);
    Ok(())
}

fn are_preempted() -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    let spinning = stop.clone();
    let here = this_cpu();
    // Both on this CPU, and neither gives it up.
    let busy = spawn_on(here, move || while !spinning.load(Relaxed) {})?;
    let stopper = spawn_on(here, move || stop.store(true, Relaxed))?;
    wait_for(|| busy.is_finished() && stopper.is_finished());
    check!(stopper.is_finished(), "a busy thread kept the CPU to itself");
    check!(busy.is_finished(), "the busy thread did not come back");
    Ok(())
}

fn sleep_in_order() -> Outcome {
    // A busy host may keep the threads from starting until all deadlines have passed; then it is tried again.
    for _ in 0..5 {
        if wake_order()? == [1, 2, 3] {
            return Ok(());
        }
    }
    Err(Trouble::Failed(
        "five times threads woke in another order than their deadlines".into(),
    ))
}

/// Has three threads sleep until different moments; returns the order in which they woke.
fn wake_order() -> Result<Vec<u32>, Trouble> {
    let order = Arc::new(IrqLock::new(Vec::new()));
    let start = Platform::now();
    let threads: Result<Vec<_>, _> = [3u32, 1, 2]
        .map(|turn| {
            let order = order.clone();
            spawn(move || {
                task::sleep_until(start + Duration::from_millis(40) * turn);
                order.lock().push(turn);
            })
        })
        .into_iter()
        .collect();
    threads?.into_iter().for_each(JoinHandle::join);
    let woke = order.lock().clone();
    Ok(woke)
}

fn hand_over_by_waiting() -> Outcome {
    const ROUNDS: u64 = 300;
    static TURN: AtomicU64 = AtomicU64::new(0);
    static CHANGED: WaitList = WaitList::new();
    fn play(mine: u64) {
        for _ in 0..ROUNDS {
            CHANGED.wait_until(|| TURN.load(Relaxed) % 2 == mine, None);
            TURN.fetch_add(1, Relaxed);
            CHANGED.wake_all();
        }
    }
    TURN.store(0, Relaxed);
    let other = spawn(|| play(1))?;
    play(0);
    other.join();
    check_eq!(TURN.load(Relaxed), 2 * ROUNDS);
    let nobody = CHANGED.wait_until(|| false, Some(Platform::now() + Duration::from_millis(2)));
    check!(!nobody, "a wait for nothing ended well");
    Ok(())
}

fn run_on_every_cpu() -> Outcome {
    for cpu in smp::online().iter() {
        let seen = Arc::new(AtomicU64::new(u64::MAX));
        let there = seen.clone();
        spawn_on(cpu, move || there.store(this_cpu().0.into(), Relaxed))?.join();
        check_eq!(seen.load(Relaxed), u64::from(cpu.0));
    }
    Ok(())
}

fn spread_over_idle_cpus() -> Outcome {
    let seen = Arc::new(AtomicU64::new(0));
    let all = smp::online();
    // Each works until all CPUs have been seen: only stealing can bring that about.
    let threads: Result<Vec<_>, _> = all
        .iter()
        .map(|_| {
            let seen = seen.clone();
            spawn(move || {
                let end = Platform::now() + PATIENCE;
                while CpuSet::from_bits(seen.load(Relaxed)) != all && Platform::now() < end {
                    seen.fetch_or(CpuSet::only(this_cpu()).bits(), Relaxed);
                }
            })
        })
        .collect();
    threads?.into_iter().for_each(JoinHandle::join);
    check_eq!(CpuSet::from_bits(seen.load(Relaxed)), all);
    Ok(())
}

fn real_time_goes_first() -> Outcome {
    let here = this_cpu();
    let order = Arc::new(IrqLock::new(Vec::new()));
    let note = |what: &'static str| {
        let order = order.clone();
        move || order.lock().push(what)
    };
    let real_time = |priority| Options {
        class: Class::Realtime(Priority::new(priority).unwrap_or(Priority::MIN)),
        affinity: CpuSet::only(here),
    };
    let guard = task::without_preemption();
    let threads = [
        spawn_on(here, note("fair")),
        task::spawn_with(real_time(10), note("low")).map_err(failed("starting a thread")),
        task::spawn_with(real_time(20), note("high")).map_err(failed("starting a thread")),
    ];
    drop(guard);
    for thread in threads {
        thread?.join();
    }
    check_eq!(*order.lock(), ["high", "low", "fair"]);
    Ok(())
}

fn keep_the_cpu() -> Outcome {
    let here = this_cpu();
    let ran = Arc::new(AtomicBool::new(false));
    let guard = task::without_preemption();
    let other = {
        let ran = ran.clone();
        spawn_on(this_cpu(), move || ran.store(true, Relaxed))?
    };
    let end = Platform::now() + Duration::from_millis(20);
    while Platform::now() < end {}
    let (meanwhile, where_now) = (ran.load(Relaxed), this_cpu());
    drop(guard);
    other.join();
    check!(
        !meanwhile || where_now != here,
        "another thread ran though preemption was off"
    );
    check!(ran.load(Relaxed), "the other thread never ran");
    Ok(())
}
