//! How a thread becomes runnable: new, woken, or taken from another CPU.
//!
//! Nobody takes another CPU's lock to wake a thread there. It is put into the inbox of the CPU it left, and that CPU looks
//! the next time it decides whom to run, or at once if it is interrupted for the purpose.

use super::idle;
use super::now;
use super::preempt::preempt_if_due;
use super::scheduler::{Scheduler, State};
use super::thread::Thread;
use crate::irq;
use crate::smp;
use crate::sync::acquire;
use arch::percpu::{self, CpuId};
use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;
use kernel_logic::sched::{Decision, Notice};

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

/// Wakes `thread` if nobody else has. Called with interrupts masked, under the lock of the list it was found in, or by one of its
/// owners.
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

/// Has `thread` look around: if it waits, as if it were woken for nothing; if it runs in user mode, by an interrupt.
pub(crate) fn interrupt(thread: &Thread) {
    let woken = {
        let _masked = irq::mask();
        wake(NonNull::from(thread))
    };
    if woken {
        preempt_if_due();
    } else if thread.home() != percpu::this_cpu() {
        smp::interrupt(thread.home());
    }
}

/// Handles a call of another CPU: looks into the inbox.
#[inline(always)]
pub fn on_call() {
    let me = Scheduler::mine();
    me.empty_inbox(&mut acquire(&me.state));
}

impl Scheduler {
    /// Puts `thread` into the inbox and sees to it that the CPU looks. Called with interrupts masked.
    pub(super) fn send(&self, thread: NonNull<Thread>) {
        // SAFETY: whoever calls this has the only claim to the thread, which lives.
        match unsafe { self.inbox.push(thread) } {
            Notice::OnItsWay => {}
            Notice::Needed if self.cpu == percpu::this_cpu() => self.due.set(true),
            Notice::Needed => smp::interrupt(self.cpu),
        }
    }

    /// Takes in what others have put into the inbox.
    #[inline(always)]
    pub(super) fn empty_inbox(&self, state: &mut State) {
        for thread in self.inbox.drain() {
            // SAFETY: a thread in the inbox is on no queue: it has left this CPU's, or never was on any.
            unsafe { self.take_in(state, thread) };
        }
        self.set_alarm(state);
    }

    /// Gives up a waiting thread to `thief`. If more wait, somebody else who is idle is called.
    pub(super) fn give_to(&self, thief: CpuId) -> Option<NonNull<Thread>> {
        let mut state = acquire(&self.state);
        let stolen = state.run.steal(thief)?;
        if state.run.waiting() > 0 {
            idle::call_for_help(thief);
        }
        Some(stolen)
    }

    /// Takes in a thread that may run here.
    pub(super) fn receive(&self, thread: NonNull<Thread>) {
        let mut state = acquire(&self.state);
        // SAFETY: it is on no queue: it was just taken from one.
        unsafe { self.take_in(&mut state, thread) };
        self.set_alarm(&mut state);
    }

    /// Puts `thread` on the run queue. If it must wait, somebody else who is idle is called to take it.
    ///
    /// # Safety
    /// The thread is on no run queue, and lives until it has left this one.
    pub(super) unsafe fn take_in(&self, state: &mut State, thread: NonNull<Thread>) {
        // SAFETY: the caller's promise.
        let decision = unsafe {
            thread.as_ref().home.store(self.cpu.0, Relaxed);
            state.run.insert(thread, now())
        };
        match decision {
            Decision::Reschedule => self.due.set(true),
            Decision::Continue => idle::call_for_help(self.cpu),
        }
    }
}
