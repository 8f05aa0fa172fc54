//! The scheduler of one CPU: a run queue, those who sleep, an inbox, and an alarm.
//!
//! The lock of the run queue is held across the switch, and released by the thread that runs next: until then the thread that
//! is left is still on its stack, and nobody may steal it.

use super::switch::switch;
use super::thread::{Thread, current, release};
use super::{Options, idle, run_idle};
use crate::irq::{self, Masked};
use crate::platform::Platform;
use crate::smp;
use alloc::boxed::Box;
use arch::percpu::{self, CpuId, CpuSet, MAX_CPUS, PerCpuVar};
use arch::{Instant, SmpOps, TimeOps};
use core::cell::Cell;
use core::mem;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use kernel_logic::sched::{Decision, Fit, Inbox, RunQueue, Sleepers};
use spin::{Mutex, MutexGuard};

/// The scheduler of this CPU.
#[unsafe(link_section = ".percpu")]
static MINE: PerCpuVar<AtomicPtr<Scheduler>> = PerCpuVar::new(AtomicPtr::new(null_mut()));

/// The schedulers of all CPUs that have one.
static ALL: [AtomicPtr<Scheduler>; MAX_CPUS as usize] = [const { AtomicPtr::new(null_mut()) }; MAX_CPUS as usize];

/// A CPU's scheduler.
pub struct Scheduler {
    state: Mutex<State>,
    inbox: Inbox<Thread>,
    /// Whether a thread other than the running one should run as soon as preemption is possible.
    due: AtomicBool,
    /// What to do about the thread that is being left, once it has been. Only for this CPU, with interrupts masked.
    afterwards: Cell<Afterwards>,
    cpu: CpuId,
    idle: NonNull<Thread>,
}

// SAFETY: `afterwards` and the idle thread are only touched by their own CPU; the rest is locked or atomic.
unsafe impl Sync for Scheduler {}

struct State {
    run: RunQueue<Thread>,
    sleepers: Sleepers<Thread>,
    /// For when the alarm is set, if it is.
    alarm: Option<u64>,
}

// SAFETY: the threads behind the pointers may be reached from any CPU.
unsafe impl Send for State {}

/// What is to be done about a thread when no CPU is on its stack any more.
enum Afterwards {
    Nothing,
    /// It has ended.
    Release(NonNull<Thread>),
    /// It moves to another CPU.
    Send(NonNull<Thread>, CpuId),
}

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
        let mut state = scheduler.state.lock();
        // SAFETY: the thread is on no queue, and is never freed.
        let _ = unsafe { state.run.insert(me, now()) };
        let running = state.run.reschedule(now());
        assert!(running == Some(me), "the only thread runs");
    }
    // SAFETY: this CPU is not left during boot.
    unsafe { MINE.this() }.store(scheduler, Release);
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
            due: AtomicBool::new(false),
            afterwards: Cell::new(Afterwards::Nothing),
            cpu,
            idle,
        }
    }

    /// This CPU's. The caller cannot be moved to another, or does not mind.
    #[inline]
    pub(super) fn mine() -> &'static Self {
        // SAFETY: the variable is atomic, and set before threads run here; schedulers are never freed.
        unsafe { &*MINE.this().load(Relaxed) }
    }

    /// That of `cpu`, if it has one already.
    pub(super) fn of(cpu: CpuId) -> Option<&'static Self> {
        // SAFETY: schedulers are published when they are complete, and never freed.
        unsafe { ALL[cpu.0 as usize].load(Acquire).as_ref() }
    }

    pub(super) fn cpu(&self) -> CpuId {
        self.cpu
    }

    /// Whether there is something to run, for the idle thread of this CPU.
    pub(super) fn has_work(&self) -> bool {
        !self.inbox.is_empty() || self.state.lock().run.waiting() > 0
    }

    /// Gives up a waiting thread to `thief`. If more wait, somebody else who is idle is called.
    pub(super) fn give_to(&self, thief: CpuId) -> Option<NonNull<Thread>> {
        let mut state = self.state.lock();
        let stolen = state.run.steal(thief)?;
        if state.run.waiting() > 0 {
            idle::call_for_help(thief);
        }
        Some(stolen)
    }

    /// Takes in a thread that may run here.
    pub(super) fn receive(&self, thread: NonNull<Thread>) {
        let mut state = self.state.lock();
        // SAFETY: it is on no queue: it was just taken from one.
        self.note(unsafe { state.run.insert(thread, now()) });
        self.set_alarm(&mut state);
    }

    fn note(&self, decision: Decision) {
        if decision == Decision::Reschedule {
            self.due.store(true, Relaxed);
        }
    }

    /// Takes in what others have put into the inbox.
    fn empty_inbox(&self, state: &mut State) {
        for thread in self.inbox.drain() {
            // SAFETY: a thread in the inbox is on no queue: it has left this CPU's, or never was on any.
            self.note(unsafe { state.run.insert(thread, now()) });
        }
        self.set_alarm(state);
    }

    /// Sets the alarm anew, unless a switch is due: that will set it, and until then one that is over would only go off again.
    fn set_alarm(&self, state: &mut State) {
        if !self.due.load(Relaxed) {
            state.set_alarm();
        }
    }

    /// Puts `thread` into the inbox and sees to it that the CPU looks.
    fn send(&self, thread: NonNull<Thread>) {
        use kernel_logic::sched::Notice;
        // SAFETY: whoever calls this has the only claim to the thread, which lives.
        match unsafe { self.inbox.push(thread) } {
            Notice::OnItsWay => {}
            Notice::Needed if self.cpu == percpu::this_cpu() => self.due.store(true, Relaxed),
            Notice::Needed => Platform::send_ipi(self.cpu),
        }
    }

    /// Runs `next`, or the idle thread; the lock goes with the switch.
    fn go_on_with(&self, mut state: MutexGuard<'_, State>, next: Option<NonNull<Thread>>) {
        self.due.store(false, Relaxed);
        state.set_alarm();
        if state.run.waiting() > 0 {
            idle::call_for_help(self.cpu);
        }
        let (previous, next) = (current(), next.unwrap_or(self.idle));
        if previous == next {
            return;
        }
        if previous == self.idle {
            // It may be left in the middle of a halt, by an interrupt that brought work.
            idle::is_busy(self.cpu);
        }
        mem::forget(state);
        // SAFETY: the next thread is not running: it came from our run queue, or is our idle thread. The lock is released by it.
        unsafe {
            next.as_ref().home.store(self.cpu.0, Relaxed);
            percpu::set_current(next.as_ptr().cast());
            switch(previous.as_ref().context.get(), *next.as_ref().context.get());
        }
        finish_switch();
    }
}

impl State {
    /// Sets the alarm for whatever comes first: the end of the slice, or somebody's sleep.
    fn set_alarm(&mut self) {
        let wanted = [self.run.preempt_at(), self.sleepers.earliest()]
            .into_iter()
            .flatten()
            .min();
        if wanted == self.alarm {
            return;
        }
        self.alarm = wanted;
        match wanted {
            Some(deadline) => Platform::set_alarm(Instant::from_nanoseconds(deadline)),
            None => Platform::cancel_alarm(),
        }
    }
}

/// What a thread does first after a switch to it: releases the queue, and cares for whom it was switched from.
pub(super) fn finish_switch() {
    let me = Scheduler::mine();
    // SAFETY: whoever switched to us holds the lock, on this CPU, and has left it to us.
    unsafe { me.state.force_unlock() };
    match me.afterwards.replace(Afterwards::Nothing) {
        Afterwards::Nothing => {}
        // SAFETY: it has ended, and this CPU was the last on its stack.
        Afterwards::Release(thread) => unsafe { release(thread) },
        Afterwards::Send(thread, cpu) => {
            if let Some(other) = Scheduler::of(cpu) {
                other.send(thread);
            }
        }
    }
}

/// Lets the thread run that has most right to.
pub(super) fn reschedule(_: &Masked) {
    let me = Scheduler::mine();
    let mut state = me.state.lock();
    me.empty_inbox(&mut state);
    let next = state.run.reschedule(now());
    me.go_on_with(state, next);
}

/// Lets others go first.
pub(super) fn yield_now(_: &Masked) {
    let me = Scheduler::mine();
    let mut state = me.state.lock();
    me.empty_inbox(&mut state);
    let next = state.run.yield_now(now());
    me.go_on_with(state, next);
}

/// Stops the current thread, which has armed its claim, until it is woken, by `deadline` at the latest.
pub(super) fn block(deadline: Option<Instant>, _: &Masked) {
    let me = Scheduler::mine();
    let thread = current();
    let mut state = me.state.lock();
    if let Some(deadline) = deadline {
        // SAFETY: the thread does not sleep, and is taken out below before it goes on.
        unsafe { state.sleepers.insert(thread, deadline.nanoseconds()) };
    }
    leave(me, state, Afterwards::Nothing);
    if deadline.is_some() {
        // SAFETY: it is in that set or, its time having come, in none.
        unsafe { me.state.lock().sleepers.remove(thread) };
    }
}

/// Stops the current thread for good.
pub(super) fn end() -> ! {
    let _masked = irq::mask();
    let me = Scheduler::mine();
    leave(me, me.state.lock(), Afterwards::Release(current()));
    unreachable!("an ended thread runs")
}

/// Takes the current thread off the queue and goes on with another.
fn leave(me: &Scheduler, mut state: MutexGuard<'_, State>, afterwards: Afterwards) {
    me.afterwards.set(afterwards);
    let mut next = state.run.leave(now());
    // Only now: a waker may have put this very thread into the inbox already.
    if !me.inbox.is_empty() {
        me.empty_inbox(&mut state);
        next = state.run.reschedule(now());
    }
    if next == Some(current()) {
        // Woken before it was left: it simply goes on.
        me.afterwards.set(Afterwards::Nothing);
    }
    me.go_on_with(state, next);
}

/// Restricts the current thread to `affinity` and moves it there.
pub(super) fn set_affinity(affinity: CpuSet, _: &Masked) {
    let me = Scheduler::mine();
    let thread = current();
    let mut state = me.state.lock();
    // SAFETY: the current thread runs on this queue.
    if unsafe { state.run.set_affinity(thread, affinity) } == Fit::MustLeave {
        let target = (affinity & smp::online())
            .iter()
            .next()
            .expect("a thread may run on some CPU that is online");
        leave(me, state, Afterwards::Send(thread, target));
    }
}

/// Puts a new thread where it may run: on this CPU if possible.
pub(super) fn introduce(thread: NonNull<Thread>) {
    {
        let _masked = irq::mask();
        let me = Scheduler::mine();
        // SAFETY: the thread is new and on no queue.
        let affinity = unsafe { thread.as_ref().sched.facts() }.affinity & smp::online();
        let target = if affinity.contains(me.cpu) {
            Some(me)
        } else {
            affinity.iter().find_map(Scheduler::of)
        };
        target
            .expect("a thread may run on some CPU that is online")
            .send(thread);
    }
    preempt_if_due();
}

/// Wakes `thread` if nobody else has. Called under the lock of the list it was found in.
pub(super) fn wake(thread: NonNull<Thread>) -> bool {
    // SAFETY: as long as it is in the list, it lives.
    let thread_ref = unsafe { thread.as_ref() };
    if !thread_ref.claim.claim() {
        return false;
    }
    Scheduler::of(thread_ref.home())
        .expect("a thread ran there")
        .send(thread);
    true
}

/// Handles the alarm of this CPU: wakes those whose time has come, and looks whether the running thread's is over.
pub fn on_alarm() {
    let me = Scheduler::mine();
    let mut state = me.state.lock();
    state.alarm = None;
    while let Some(thread) = state.sleepers.pop_due(now()) {
        // SAFETY: it sleeps, so it lives; if the claim is ours, it is on no queue.
        unsafe {
            if thread.as_ref().claim.claim() {
                me.note(state.run.insert(thread, now()));
            }
        }
    }
    me.note(state.run.tick(now()));
    me.set_alarm(&mut state);
}

/// Handles a call of another CPU: looks into the inbox.
pub fn on_call() {
    let me = Scheduler::mine();
    me.empty_inbox(&mut me.state.lock());
}

/// Preempts the interrupted thread, if another should run. Called at the end of all handling, with interrupts masked.
pub fn interrupts_done() {
    if is_switch_due() {
        reschedule(&irq::mask());
    }
}

/// Lets another thread run, if one should and may: at once, or if interrupts are masked, by an interrupt of its own when they no
/// longer are.
pub(super) fn preempt_if_due() {
    if irq::is_masked() {
        if is_switch_due() {
            Platform::send_ipi(percpu::this_cpu());
        }
    } else {
        let _masked = irq::mask();
        interrupts_done();
    }
}

/// Whether another thread should run on this CPU and preemption is possible. Called with interrupts masked.
fn is_switch_due() -> bool {
    // SAFETY: interrupts are masked, so this CPU it stays; the variable is atomic.
    let started = !unsafe { MINE.this() }.load(Relaxed).is_null();
    started && percpu::preemption_depth() == 0 && Scheduler::mine().due.load(Relaxed)
}

fn now() -> u64 {
    Platform::now().nanoseconds()
}
