//! Threads for the tests, and the tests by what they are about.

mod fair;
mod heap;
mod inbox;
mod run_queue;
mod sleepers;
mod wait_queue;

use super::*;
use arch::percpu::{CpuId, CpuSet};
use core::ptr::NonNull;

/// A thread that consists of what the queues need, with something before and between.
struct Thread {
    name: usize,
    sched: SchedEntity,
    sleeper: Sleeper,
    waiter: Waiter,
}

crate::embeds!(Thread {
    sched: SchedEntity,
    sleeper: Sleeper,
    waiter: Waiter
});

/// Threads that stay in their places.
struct Threads(Box<[Thread]>);

impl Threads {
    fn new(classes: impl IntoIterator<Item = Class>) -> Self {
        Self::bound(classes.into_iter().map(|class| (class, CpuSet::ALL)))
    }

    fn bound(threads: impl IntoIterator<Item = (Class, CpuSet)>) -> Self {
        let make = |(name, (class, affinity))| Thread {
            name,
            sched: SchedEntity::new(class, affinity),
            sleeper: Sleeper::new(),
            waiter: Waiter::new(),
        };
        Self(threads.into_iter().enumerate().map(make).collect())
    }

    fn pointer(&self, name: usize) -> NonNull<Thread> {
        NonNull::from(&self.0[name])
    }

    fn facts(&self, name: usize) -> Facts {
        // SAFETY: the tests of queues have one CPU's thread only.
        unsafe { self.0[name].sched.facts() }
    }

    fn runtime(&self, name: usize) -> u64 {
        self.facts(name).runtime
    }
}

/// Which thread that is.
fn name(thread: NonNull<Thread>) -> usize {
    // SAFETY: the tests keep their threads to the end.
    unsafe { thread.as_ref().name }
}

fn fair(weight: u32) -> Class {
    Class::Fair(Weight::new(weight).unwrap())
}

fn realtime(priority: u8) -> Class {
    Class::Realtime(Priority::new(priority).unwrap())
}
