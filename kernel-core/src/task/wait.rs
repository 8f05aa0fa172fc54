//! Waiting for something to become true, and waking those who wait.

use super::handover;
use super::preempt::preempt_if_due;
use super::thread::{Thread, current};
use super::wake;
use crate::irq;
use crate::platform::Platform;
use crate::sync::{IrqLock, check};
use arch::{Instant, TimeOps};
use kernel_logic::sched::WaitQueue;

/// Threads that wait for the same thing, first come, first served.
#[derive(Debug)]
pub struct WaitList {
    waiting: IrqLock<WaitQueue<Thread>>,
}

impl WaitList {
    /// Nobody waits.
    #[cfg_attr(debug_assertions, track_caller)]
    pub const fn new() -> Self {
        Self {
            waiting: IrqLock::new(WaitQueue::new()),
        }
    }

    /// Stops the current thread until `ready`, which is asked before each stop with the list locked; or until `deadline`. Returns
    /// whether it was ready.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn wait_until(&self, mut ready: impl FnMut() -> bool, deadline: Option<Instant>) -> bool {
        check::may_sleep();
        let me = current();
        loop {
            // From the claim to the switch nothing may look into this CPU's inbox: a waker may have put us there by then.
            let masked = irq::mask();
            // SAFETY: the running thread lives.
            let claim = unsafe { &me.as_ref().claim };
            claim.arm();
            let over = {
                let mut waiting = self.waiting.lock();
                let over = is_over(&mut ready, deadline);
                if over.is_none() {
                    // SAFETY: the current thread is in no list, and out of this one before it goes on.
                    unsafe { waiting.push(me) };
                }
                over
            };
            match over {
                Some(answer) if claim.claim() => return answer,
                Some(answer) => {
                    // Too late: somebody is waking us already, and we must be woken.
                    handover::block(None, &masked);
                    return answer;
                }
                None => handover::block(deadline, &masked),
            }
            // SAFETY: it is in this list or, woken, in none.
            unsafe { self.waiting.lock().remove(me) };
        }
    }

    /// Wakes the thread that has waited longest, if any waits.
    pub fn wake_one(&self) {
        self.wake(1);
    }

    /// Wakes all threads that wait.
    pub fn wake_all(&self) {
        self.wake(usize::MAX);
    }

    fn wake(&self, limit: usize) {
        self.waiting.lock().wake(limit, wake::wake);
        preempt_if_due();
    }
}

/// Whether a wait is over, and with what: because what was waited for is there, or the time is.
fn is_over(ready: &mut impl FnMut() -> bool, deadline: Option<Instant>) -> Option<bool> {
    if ready() {
        return Some(true);
    }
    let late = deadline.is_some_and(|deadline| Platform::now() >= deadline);
    late.then_some(false)
}

impl Default for WaitList {
    fn default() -> Self {
        Self::new()
    }
}
