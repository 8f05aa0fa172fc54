//! Who wakes a thread, when several want to.
//!
//! A thread that waits with a time-out can be found by two at once, and one that waits for several events by many. Each
//! of them holds another lock, so no lock decides. One flag in the thread does: it is set before the thread can be
//! found, and the one who clears it wakes the thread.
//!
//! How the pieces fit, and why no reference counts are needed:
//!
//! 1. The thread [arms](WakeClaim::arm) its claim, enters whatever it wants to be found in (a
//!    [`WaitQueue`](super::WaitQueue), [`Sleepers`](super::Sleepers)) and [leaves](super::RunQueue::leave) its run
//!    queue.
//! 2. A waker finds it under the lock of one of these, and still under this lock takes the claim; if it got it,
//!    it pushes the thread to the [`Inbox`](super::Inbox) of the CPU the thread left.
//! 3. The thread, running again, first takes itself out of all it had entered, under their locks. From then on nobody
//!    holds a pointer to it that was found there, so that it may even end.
//!
//! A thread that finds, after arming, that it need not wait after all claims *itself*. If it is too late for that,
//! somebody is waking it already, and it must leave and be woken.

use crate::atomic::{AtomicBool, Ordering, const_unless_loom};

/// The right to wake one thread, once for each time it waits.
#[derive(Debug)]
pub struct WakeClaim {
    armed: AtomicBool,
}

impl WakeClaim {
    const_unless_loom! {
        /// Of a thread that does not wait: nobody's to claim.
        pub fn new() -> Self {
            Self { armed: AtomicBool::new(false) }
        }
    }

    /// For the thread itself, before it can be found: the next wait begins.
    #[inline]
    pub fn arm(&self) {
        self.armed.store(true, Ordering::Release);
    }

    /// Whether the caller is the one to wake the thread; `true` once for each [`arm`](Self::arm).
    ///
    /// Who gets it sees what the thread wrote before it armed.
    #[inline]
    #[must_use]
    pub fn claim(&self) -> bool {
        self.armed.load(Ordering::Relaxed) && self.armed.swap(false, Ordering::AcqRel)
    }
}

impl Default for WakeClaim {
    fn default() -> Self {
        Self::new()
    }
}
