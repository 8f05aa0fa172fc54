//! Page-table updates that wait for company.
//!
//! One update by itself costs about 1,200 instructions, nearly half of which are the way into Xen and back; in a batch of 32
//! the way is paid once. In lazy MMU mode updates gather here, one queue for each CPU, until the mode ends, the queue is
//! full, or something happens that must come after them.
//!
//! What they make outdated in the caches is remembered with them and dropped after them, on all CPUs: for one page by its
//! address, for several by dropping everything, which calls the other processors only once.

use crate::hypercall::Granted;
use crate::hypercall::mmu::{Extended, Update, extended, mmu_update};
use arch::VirtAddr;
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::offset_of;

/// How many updates a queue holds.
pub const CAPACITY: usize = 64;

/// Offset in a queue of the byte that says whether it collects.
pub const COLLECTING: usize = offset_of!(State, collecting);
/// Offset of the number of updates in it.
pub const LENGTH: usize = offset_of!(State, length);
/// Offset of the word that is 0 if nothing is to be dropped with the updates.
pub const OUTDATED: usize = offset_of!(State, outdated);
/// Offset of the first update.
pub const UPDATES: usize = offset_of!(State, updates);

/// The queue of one CPU. Its methods are for that CPU only, and with events masked.
pub struct Queue {
    state: UnsafeCell<State>,
}

/// What is in a queue. Assembly code knows where ([`assembly`](crate::assembly)).
#[repr(C)]
struct State {
    /// Lazy MMU mode is on.
    collecting: bool,
    /// How many of `updates` wait.
    length: usize,
    updates: [Update; CAPACITY],
    /// What is to be dropped after them.
    outdated: Outdated,
}

/// Which pages' cached translations do not suit the entries any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
enum Outdated {
    Nothing = 0,
    Page(VirtAddr),
    Several,
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
                outdated: Outdated::Nothing,
            }),
        }
    }

    /// From now on updates wait.
    pub fn collect(&self) {
        self.with(|state| state.collecting = true);
    }

    /// Makes the updates that wait, and from now on each at once. Says whether they have been collected.
    pub fn release(&self) -> bool {
        self.with(|state| {
            state.flush();
            core::mem::replace(&mut state.collecting, false)
        })
    }

    /// Whether updates wait.
    pub fn is_collecting(&self) -> bool {
        self.with(|state| state.collecting)
    }

    /// Has all CPUs drop the cached translation of the page at `page`, after the updates that wait and the next one.
    pub fn outdate(&self, page: VirtAddr) {
        self.with(|state| state.outdated = state.outdated.and(page));
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
    #[inline(always)]
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // SAFETY: this CPU's queue, events masked: nobody else has a reference, and `act` makes no second one.
        act(unsafe { &mut *self.state.get() })
    }
}

impl State {
    /// Makes the updates that wait, and has dropped what they have made outdated.
    #[inline(always)]
    fn flush(&mut self) {
        if self.length > 0 {
            self.make();
        }
    }

    /// Hands all waiting updates to Xen in one hypercall, which makes them in order.
    #[inline(never)]
    fn make(&mut self) {
        let length = core::mem::take(&mut self.length);
        // SAFETY: who pushed the updates vouched for them; dropping what is cached changes no translation.
        unsafe {
            mmu_update(&self.updates[..length]).granted();
            match core::mem::replace(&mut self.outdated, Outdated::Nothing) {
                Outdated::Nothing => return,
                Outdated::Page(page) => extended([Extended::InvalidateEverywhere(page.as_u64())]),
                Outdated::Several => extended([Extended::FlushEverywhere]),
            }
            .granted();
        }
    }
}

impl Outdated {
    /// It, and `page`.
    fn and(self, page: VirtAddr) -> Self {
        match self {
            Self::Nothing => Self::Page(page),
            Self::Page(_) | Self::Several => Self::Several,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_page_is_dropped_by_its_address_and_several_with_everything() {
        let page = |number: u64| VirtAddr::new(number * 4096);
        let one = Outdated::Nothing.and(page(1));
        assert_eq!(one, Outdated::Page(page(1)));
        assert_eq!(one.and(page(2)), Outdated::Several);
        assert_eq!(one.and(page(2)).and(page(3)), Outdated::Several);
    }
}
