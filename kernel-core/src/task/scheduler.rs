//! The scheduler of one CPU: a run queue, those who sleep, an inbox, and an alarm.
//!
//! This file has the parts and their lock; what is done with them is told beside it: who runs next and how it takes over
//! ([`handover`](super::handover)), how a thread becomes runnable ([`wake`](super::wake)), what the alarm is for
//! ([`alarm`](super::alarm)), and when a running thread must make way ([`preempt`](super::preempt)).

use super::handover::Afterwards;
use super::run_idle;
use super::thread::Thread;
use super::{Options, now};
use crate::sync::acquire;
use alloc::boxed::Box;
use arch::percpu::{self, CpuId, MAX_CPUS};
use core::cell::Cell;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicPtr, Ordering::Acquire, Ordering::Release};
use kernel_logic::sched::{Inbox, RunQueue, Sleepers};
use spin::Mutex;

/// The schedulers of all CPUs that have one.
static ALL: [AtomicPtr<Scheduler>; MAX_CPUS as usize] = [const { AtomicPtr::new(null_mut()) }; MAX_CPUS as usize];

/// A CPU's scheduler.
pub struct Scheduler {
    pub(super) state: Mutex<State>,
    pub(super) inbox: Inbox<Thread>,
    /// Whether a thread other than the running one should run as soon as preemption is possible. Only for this CPU, with
    /// interrupts masked.
    pub(super) due: Cell<bool>,
    /// What to do about the thread that is being left, once it has been. Only for this CPU, with interrupts masked.
    pub(super) afterwards: Cell<Afterwards>,
    pub(super) cpu: CpuId,
    pub(super) idle: NonNull<Thread>,
}

// SAFETY: the cells and the idle thread are only touched by their own CPU; the rest is locked or atomic.
unsafe impl Sync for Scheduler {}

/// What the lock protects.
pub(super) struct State {
    pub(super) run: RunQueue<Thread>,
    pub(super) sleepers: Sleepers<Thread>,
    /// For when the alarm is set, if it is.
    pub(super) alarm: Option<u64>,
}

// SAFETY: the threads behind the pointers may be reached from any CPU.
unsafe impl Send for State {}

/// Makes what runs on this CPU a thread, and this CPU a place for threads. The boot CPU's becomes an ordinary thread, any other's
/// the idle thread.
pub fn start() {
    let cpu = percpu::this_cpu();
    let boots = cpu == CpuId(0);
    let me = NonNull::from(Box::leak(Box::new(Thread::adopt(Options::default()))));
    // SAFETY: nothing is scheduled on this CPU yet.
    unsafe { percpu::set_current(me.as_ptr().cast()) };
    let idle = if boots { new_idle() } else { me };
    let scheduler = Box::leak(Box::new(Scheduler::new(cpu, idle)));
    if boots {
        let mut state = acquire(&scheduler.state);
        // SAFETY: the thread is on no queue, and is never freed.
        let _ = unsafe { state.run.insert(me, now()) };
        let running = state.run.reschedule(now());
        assert!(running == Some(me), "the only thread runs");
    }
    // SAFETY: this CPU is not left during boot, and has no other scheduler.
    unsafe { percpu::set_scheduler((&raw const *scheduler).cast()) };
    ALL[cpu.0 as usize].store(scheduler, Release);
}

fn new_idle() -> NonNull<Thread> {
    let thread = Thread::new(Options::default(), Box::new(|| run_idle())).expect("memory for the idle thread's stack");
    NonNull::from(Box::leak(Box::new(thread)))
}

impl Scheduler {
    fn new(cpu: CpuId, idle: NonNull<Thread>) -> Self {
        let state = State {
            run: RunQueue::new(cpu),
            sleepers: Sleepers::new(),
            alarm: None,
        };
        Self {
            state: Mutex::new(state),
            inbox: Inbox::new(),
            due: Cell::new(false),
            afterwards: Cell::new(Afterwards::Nothing),
            cpu,
            idle,
        }
    }

    /// This CPU's. The caller cannot be moved to another, or does not mind.
    #[inline(always)]
    pub(super) fn mine() -> &'static Self {
        // SAFETY: it is set before threads run here; schedulers are never freed.
        unsafe { &*percpu::scheduler().cast() }
    }

    /// That of `cpu`, if it has one already.
    pub(super) fn of(cpu: CpuId) -> Option<&'static Self> {
        // SAFETY: schedulers are published when they are complete, and never freed.
        unsafe { ALL[cpu.0 as usize].load(Acquire).as_ref() }
    }

    /// Whether this CPU has a scheduler yet. Called with interrupts masked.
    #[inline]
    pub(super) fn is_started() -> bool {
        !percpu::scheduler().is_null()
    }

    /// Whether there is something to run, for the idle thread of this CPU.
    pub(super) fn has_work(&self) -> bool {
        !self.inbox.is_empty() || acquire(&self.state).run.waiting() > 0
    }
}
