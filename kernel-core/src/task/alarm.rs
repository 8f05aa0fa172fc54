//! The alarm of a CPU: for the end of the running thread's slice, or the end of somebody's sleep, whatever comes first.
//!
//! A CPU whose only thread runs, or that idles while nobody sleeps, has none: there is no tick.

use super::now;
use super::scheduler::{Scheduler, State};
use crate::platform::Platform;
use crate::sync::acquire;
use arch::{Instant, TimeOps};
use core::sync::atomic::Ordering::Relaxed;

/// Handles the alarm of this CPU: wakes those whose time has come, and looks whether the running thread's is over.
pub fn on_alarm() {
    let me = Scheduler::mine();
    let mut state = acquire(&me.state);
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

impl Scheduler {
    /// Sets the alarm anew, unless a switch is due: that will set it, and until then one that is over would only go off again.
    pub(super) fn set_alarm(&self, state: &mut State) {
        if !self.due.load(Relaxed) {
            state.set_alarm();
        }
    }
}

impl State {
    /// Sets the alarm for whatever comes first: the end of the slice, or somebody's sleep.
    pub(super) fn set_alarm(&mut self) {
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
