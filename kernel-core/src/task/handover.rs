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
use kernel_logic::sched::{Fit, Turn};
use spin::MutexGuard;

/// What is to be done about a thread when no CPU is on its stack any more.
#[derive(Clone, Copy)]
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

/// Lets others go first. Called with interrupts masked, and returns with interrupts masked.
///
/// Of all switches this is the most frequent, and in most of them two threads take turns that were both on the queue before and
/// are both on it afterwards. Then nobody needs help who did not need it before, and an alarm that was early enough still is.
/// Nor is the inbox looked into: whatever makes it necessary, or makes another switch due, comes with an interrupt.
#[inline(always)]
pub(super) fn yield_now() {
    let me = Scheduler::mine();
    match me.state.try_lock() {
        Some(mut state) => match state.run.take_turns(now()) {
            // SAFETY: the next thread was on our run queue, whose lock it will release.
            Some(turn) => unsafe { hand_over(state, turn) },
            None => me.yield_thoroughly(state),
        },
        None => me.yield_after_waiting(),
    }
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
    /// Yields although another CPU has the lock just now.
    #[cold]
    #[inline(never)]
    fn yield_after_waiting(&self) {
        self.yield_thoroughly(acquire(&self.state));
    }

    /// Looks for everybody who may go first, and lets that thread run.
    #[inline(never)]
    fn yield_thoroughly(&self, mut state: MutexGuard<'_, State>) {
        self.empty_inbox(&mut state);
        let next = state.run.yield_now(now());
        self.go_on_with(state, next);
    }

    /// Cares for the thread that was left.
    #[inline(never)]
    fn care_for_left(&self) {
        match self.afterwards.replace(Afterwards::Nothing) {
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

    /// Runs `next`, or the idle thread; the lock goes with the switch.
    fn go_on_with(&self, mut state: MutexGuard<'_, State>, next: Option<NonNull<Thread>>) {
        self.due.set(false);
        state.set_alarm();
        if state.run.waiting() > 0 {
            idle::call_for_help(self.cpu);
        }
        let turn = Turn {
            from: current(),
            to: next.unwrap_or(self.idle),
        };
        if turn.from == turn.to {
            return;
        }
        if turn.from == self.idle {
            // It may be left in the middle of a halt, by an interrupt that brought work.
            idle::is_busy(self.cpu);
        }
        // SAFETY: the next thread is not running: it came from our run queue, or is our idle thread.
        unsafe { hand_over(state, turn) };
    }
}

/// Exchanges what a CPU has of its thread, and the lock with it. Returns when somebody hands the CPU back to the thread that is
/// left.
///
/// # Safety
/// One thread runs here and the other nowhere, and nobody reaches either while the lock is held. Interrupts are masked.
#[inline(always)]
unsafe fn hand_over(lock: MutexGuard<'_, State>, turn: Turn<Thread>) {
    mem::forget(lock);
    // SAFETY: the caller's promise. Up to the last line this is still the stack of the thread that is left.
    unsafe {
        percpu::set_current(turn.to.as_ptr().cast());
        let Turn { from, to } = match (is_of_program(turn.from), is_of_program(turn.to)) {
            (false, false) => turn,
            (true, true) => exchange_programs(turn),
            _ => switch_program(turn),
        };
        switch(from.as_ref().context.get(), *to.as_ref().context.get());
    }
    finish_switch();
}

/// Whether a thread is one of a program.
///
/// # Safety
/// The thread lives.
#[inline(always)]
unsafe fn is_of_program(thread: NonNull<Thread>) -> bool {
    // SAFETY: the caller's promise.
    unsafe { thread.as_ref() }.user().is_some()
}

/// Exchanges what a CPU has of a program, where both threads are of one. It returns what it was given, so that switches between
/// threads of the kernel need not keep that in registers that would have to be saved first.
///
/// # Safety
/// As for [`hand_over`]; both threads are of programs.
#[inline(never)]
unsafe fn exchange_programs(turn: Turn<Thread>) -> Turn<Thread> {
    // SAFETY: the caller's promise.
    unsafe {
        let (from, to) = (turn.from.as_ref().user(), turn.to.as_ref().user());
        user::exchange(from.unwrap_unchecked(), to.unwrap_unchecked());
    }
    turn
}

/// The same where one of the threads is the kernel's.
///
/// # Safety
/// As for [`hand_over`].
#[inline(never)]
unsafe fn switch_program(turn: Turn<Thread>) -> Turn<Thread> {
    // SAFETY: the caller's promise.
    unsafe { user::switch(turn.from.as_ref().user(), turn.to.as_ref().user()) };
    turn
}

/// What a thread does first after a switch to it: releases the queue, and cares for whom it was switched from.
#[inline(always)]
pub(super) fn finish_switch() {
    let me = Scheduler::mine();
    // SAFETY: whoever switched to us holds the lock, on this CPU, and has left it to us.
    unsafe { me.state.force_unlock() };
    if !matches!(me.afterwards.get(), Afterwards::Nothing) {
        me.care_for_left();
    }
}
