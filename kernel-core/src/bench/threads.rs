//! Threads of the kernel on one CPU: giving it to each other, waiting for each other, coming and going.

use super::Benchmark;
use super::meter::{Figures, measure, measure_several};
use crate::task::{self, JoinHandle, Options, WaitList};
use alloc::sync::Arc;
use arch::percpu::{CpuSet, this_cpu};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

pub(super) const BENCHMARKS: &[Benchmark] = &[
    Benchmark::new("switch-threads", switch_threads),
    Benchmark::new("wake-and-sleep", wake_and_sleep),
    Benchmark::new("create-and-join", create_and_join),
];

/// Two threads that let each other go first: one switch, the way into the scheduler and out of it included.
fn switch_threads() -> Figures {
    let over = Arc::new(AtomicBool::new(false));
    let seen = over.clone();
    let other = beside(move || {
        while !seen.load(Relaxed) {
            task::yield_now();
        }
    });
    let figures = measure_several(2, task::yield_now);
    over.store(true, Relaxed);
    other.join();
    figures
}

/// Two threads of which one always sleeps until the other wakes it: a wake-up and a switch.
fn wake_and_sleep() -> Figures {
    let ball = Arc::new(Ball::default());
    let theirs = ball.clone();
    let other = beside(move || while theirs.await_and_pass(Ball::THEIRS, Ball::OURS) {});
    let figures = measure_several(2, || {
        ball.pass_to(Ball::THEIRS);
        ball.wait_for(Ball::OURS);
    });
    ball.pass_to(Ball::NOBODYS);
    other.join();
    figures
}

/// A thread that does nothing, from its creation until its end is known.
fn create_and_join() -> Figures {
    measure(|| beside(|| ()).join())
}

/// Starts a thread on the CPU that executes this.
pub(super) fn beside(work: impl FnOnce() + Send + 'static) -> JoinHandle {
    let options = Options {
        affinity: CpuSet::only(this_cpu()),
        ..Options::default()
    };
    task::spawn_with(options, work).expect("memory for a thread")
}

/// What two threads pass to and fro.
#[derive(Default)]
struct Ball {
    holder: AtomicU32,
    waiting: WaitList,
}

impl Ball {
    const OURS: u32 = 0;
    const THEIRS: u32 = 1;
    const NOBODYS: u32 = 2;

    fn pass_to(&self, whom: u32) {
        self.holder.store(whom, Relaxed);
        self.waiting.wake_one();
    }

    /// Sleeps until `who` has it; `false` if nobody ever will again.
    fn wait_for(&self, who: u32) -> bool {
        let holder = || self.holder.load(Relaxed);
        self.waiting
            .wait_until(|| holder() == who || holder() == Self::NOBODYS, None);
        holder() == who
    }

    fn await_and_pass(&self, who: u32, whom: u32) -> bool {
        let goes_on = self.wait_for(who);
        if goes_on {
            self.pass_to(whom);
        }
        goes_on
    }
}
