//! A lock that sleeps: for stretches of code during which others may as well do something else.
//!
//! Its word says whether anybody waits ([`LockState`]), so that the list of those who wait, and the lock around that, are left alone
//! unless somebody does: then taking it is one atomic instruction, and releasing it another.

use super::check;
use crate::task::WaitList;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use kernel_logic::lock_state::{LockState, Released};

/// A value that one thread at a time can reach. Who waits for it sleeps, so it is not for interrupt handlers, nor for whoever has
/// masked interrupts or switched preemption off.
pub struct Mutex<T> {
    state: LockState,
    identity: check::Identity,
    waiting: WaitList,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands the value to one thread at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Mutex<T> {}

impl<T> Mutex<T> {
    /// An unlocked lock around `value`. To the check of lock order, all locks made at one place of the source are the same.
    #[cfg_attr(debug_assertions, track_caller)]
    pub const fn new(value: T) -> Self {
        Self {
            state: LockState::new(),
            identity: check::Identity::here(),
            waiting: WaitList::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the lock.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        check::may_sleep();
        let held = self.identity.sleeps();
        if !self.state.try_take() {
            self.wait();
        }
        MutexGuard {
            mutex: self,
            _held: held,
            this_thread: PhantomData,
        }
    }

    #[cold]
    #[inline(never)]
    fn wait(&self) {
        self.waiting.wait_until(|| self.state.take_or_mark(), None);
    }

    #[cold]
    #[inline(never)]
    fn not_simply_released(&self, found: Released) {
        debug_assert!(found != Released::NotTaken, "a mutex was released that nobody had");
        self.waiting.wake_one();
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Mutex")
    }
}

/// Access to the value; dropping it unlocks. It stays with the thread that locked.
#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    _held: check::Sleeps,
    this_thread: PhantomData<*const ()>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the guard is the only one.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let found = self.mutex.state.release();
        if found != Released::Unnoticed {
            self.mutex.not_simply_released(found);
        }
    }
}
