//! The alarm of a CPU: for the end of the running thread's slice, or the end of somebody's sleep, whatever comes first.
//!
//! A CPU whose only thread runs, or that idles while nobody sleeps, needs none: there is no tick. And setting an alarm is dear, a
//! hypercall under Xen, while most are set in vain: the thread gives up the CPU before its slice is over, the sleeper is
//! woken before its time. So one rule is kept, *the alarm goes off no later than it is needed*, and nothing more. It is set
//! only when it must go off earlier than it would. One that goes off too early finds nothing to do, and is set anew for what
//! is needed then: once for each slice at the most, however often threads take turns in between.
//!
//! What can make it needed earlier: somebody arrives, somebody falls asleep, or another thread runs with a slice of its own,
//! unless that slice takes the place of one that would have ended before
//! ([`take_turns`](kernel_logic::sched::RunQueue::take_turns)). All of these but the last end with [`State::set_alarm`].

use super::now;
use super::scheduler::{Scheduler, State};
use crate::platform::Platform;
use crate::sync::acquire;
use arch::{Instant, TimeOps};
use kernel_logic::sched::Decision;

/// Handles the alarm of this CPU: wakes those whose time has come, and looks whether the running thread's is over.
#[inline(always)]
pub fn on_alarm() {
    let me = Scheduler::mine();
    let mut state = acquire(&me.state);
    state.alarm = None;
    while let Some(thread) = state.sleepers.pop_due(now()) {
        // SAFETY: it sleeps, so it lives; if the claim is ours, it is on no queue.
        unsafe {
            if thread.as_ref().claim.claim() {
                me.take_in(&mut state, thread);
            }
        }
    }
    if state.run.tick(now()) == Decision::Reschedule {
        me.due.set(true);
    }
    me.set_alarm(&mut state);
}

impl Scheduler {
    /// Sees to the alarm, unless a switch is due: that will, and until then an alarm for a slice that is over would only go off
    /// again.
    pub(super) fn set_alarm(&self, state: &mut State) {
        if !self.due.get() {
            state.set_alarm();
        }
    }
}

impl State {
    /// Sees to it that the alarm goes off no later than at whatever comes first: the end of the slice, or somebody's sleep.
    pub(super) fn set_alarm(&mut self) {
        let wanted = [self.run.preempt_at(), self.sleepers.earliest()]
            .into_iter()
            .flatten()
            .min();
        if let Some(wanted) = wanted
            && self.alarm.is_none_or(|alarm| alarm > wanted)
        {
            self.alarm = Some(wanted);
            Platform::set_alarm(Instant::from_nanoseconds(wanted));
        }
    }
}
