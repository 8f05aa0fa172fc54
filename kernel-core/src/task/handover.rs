//! From one thread to the next: whom a CPU runs, and how it takes over.
//!
//! The lock of the run queue is held across the switch, and released by the thread that runs next: until then the thread that
//! is left is still on its stack, and nobody may steal it.

use super::idle;
use super::now;
use super::scheduler::{Scheduler, State};
use super::switch::switch;
use super::thread::{Thread, current, release};
use crate::irq::{self, Masked};
use crate::smp;
use crate::sync::acquire;
use crate::user;
use arch::Instant;
use arch::percpu::{self, CpuId, CpuSet};
use core::mem;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;
use kernel_logic::sched::Fit;
use spin::MutexGuard;

/// What is to be done about a thread when no CPU is on its stack any more.
pub(super) enum Afterwards {
    Nothing,
    /// It has ended.
    Release(NonNull<Thread>),
    /// It moves to another CPU.
    Send(NonNull<Thread>, CpuId),
}

/// Lets the thread run that has most right to.
pub(super) fn reschedule(_: &Masked) {
    let me = Scheduler::mine();
    let mut state = acquire(&me.state);
    me.empty_inbox(&mut state);
    let next = state.run.reschedule(now());
    me.go_on_with(state, next);
}

/// Lets others go first.
pub(super) fn yield_now(_: &Masked) {
    let me = Scheduler::mine();
    let mut state = acquire(&me.state);
    me.empty_inbox(&mut state);
    let next = state.run.yield_now(now());
    me.go_on_with(state, next);
}

/// Stops the current thread, which has armed its claim, until it is woken, by `deadline` at the latest.
pub(super) fn block(deadline: Option<Instant>, _: &Masked) {
    let me = Scheduler::mine();
    let thread = current();
    let mut state = acquire(&me.state);
    if let Some(deadline) = deadline {
        // SAFETY: the thread does not sleep, and is taken out below before it goes on.
        unsafe { state.sleepers.insert(thread, deadline.nanoseconds()) };
    }
    leave(me, state, Afterwards::Nothing);
    if deadline.is_some() {
        // SAFETY: it is in that set or, its time having come, in none.
        unsafe { acquire(&me.state).sleepers.remove(thread) };
    }
}

/// Stops the current thread for good.
pub(super) fn end() -> ! {
    let _masked = irq::mask();
    let me = Scheduler::mine();
    leave(me, acquire(&me.state), Afterwards::Release(current()));
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
    let mut state = acquire(&me.state);
    // SAFETY: the current thread runs on this queue.
    if unsafe { state.run.set_affinity(thread, affinity) } == Fit::MustLeave {
        let target = (affinity & smp::online())
            .iter()
            .next()
            .expect("a thread may run on some CPU that is online");
        leave(me, state, Afterwards::Send(thread, target));
    }
}

impl Scheduler {
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
        // SAFETY: the next thread is not running: it came from our run queue, or is our idle thread. Nobody reaches
        // either while the lock is held, which the next thread releases.
        unsafe { self.hand_over(previous, next) };
        finish_switch();
    }

    /// Exchanges what a CPU has of its thread. Returns when somebody hands the CPU back to `previous`.
    ///
    /// # Safety
    /// `previous` runs here and `next` nowhere; interrupts are masked, and nobody else can reach either.
    unsafe fn hand_over(&self, previous: NonNull<Thread>, next: NonNull<Thread>) {
        // SAFETY: the caller's promise. Up to the last line this is still the stack of `previous`.
        unsafe {
            next.as_ref().home.store(self.cpu.0, Relaxed);
            percpu::set_current(next.as_ptr().cast());
            user::switch(previous.as_ref().user(), next.as_ref().user());
            switch(previous.as_ref().context.get(), *next.as_ref().context.get());
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
