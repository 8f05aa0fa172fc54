//! Page-table updates that wait for company.
//!
//! One update by itself costs about 1,200 instructions, nearly half of which are the way into Xen and back; in a batch of 32
//! the way is paid once. In lazy MMU mode updates gather here, one queue for each CPU, until the mode ends, the queue is
//! full, or something happens that must come after them.

use crate::hypercall::Granted;
use crate::hypercall::mmu::{Update, mmu_update};
use core::cell::UnsafeCell;
use core::fmt;

/// How many updates a queue holds.
const CAPACITY: usize = 64;

/// The queue of one CPU. Its methods are for that CPU only, and with events masked.
pub struct Queue {
    state: UnsafeCell<State>,
}

/// What is in a queue.
struct State {
    /// Lazy MMU mode is on.
    collecting: bool,
    /// How many of `updates` wait.
    length: usize,
    updates: [Update; CAPACITY],
}

// SAFETY: each CPU uses only its own queue, and masks events meanwhile, so there is never more than one user.
unsafe impl Sync for Queue {}

impl fmt::Debug for Queue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Queue")
    }
}

impl Queue {
    /// An empty queue that does not collect.
    pub const fn new() -> Self {
        Self {
            state: UnsafeCell::new(State {
                collecting: false,
                length: 0,
                updates: [Update { entry: 0, value: 0 }; CAPACITY],
            }),
        }
    }

    /// From now on updates wait.
    pub fn collect(&self) {
        self.with(|state| state.collecting = true);
    }

    /// Makes the updates that wait, and from now on each at once.
    pub fn release(&self) {
        self.with(|state| {
            state.flush();
            state.collecting = false;
        });
    }

    /// Makes the updates that wait.
    pub fn flush(&self) {
        self.with(State::flush);
    }

    /// Makes `update`, now or with others later.
    ///
    /// # Safety
    /// Whenever it is made before the mode ends, it breaks no reference that anyone holds.
    pub unsafe fn push(&self, update: Update) {
        self.with(|state| {
            state.updates[state.length] = update;
            state.length += 1;
            if !state.collecting || state.length == CAPACITY {
                state.flush();
            }
        });
    }

    /// Does something to the queue.
    fn with(&self, act: impl FnOnce(&mut State)) {
        // SAFETY: this CPU's queue, events masked: nobody else has a reference, and `act` makes no second one.
        act(unsafe { &mut *self.state.get() });
    }
}

impl State {
    /// Hands all waiting updates to Xen in one hypercall, which makes them in order.
    fn flush(&mut self) {
        let length = core::mem::take(&mut self.length);
        if length > 0 {
            // SAFETY: who pushed the updates vouched for them.
            unsafe { mmu_update(&self.updates[..length]) }.granted();
        }
    }
}
