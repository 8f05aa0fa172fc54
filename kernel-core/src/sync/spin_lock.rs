//! Locks that are waited for by trying again and again.
//!
//! Spinning is right where the holder is done in less time than it would take to switch to something else. That holds only while
//! the holder runs: hence each of these locks comes with a *shield*, a guard that is up before the lock is taken and down after it
//! was released, and keeps the holder's CPU at its work. Only a hypervisor can still take that CPU away, so it is told when the
//! waiting lasts long ([`Platform::spin`](arch::SmpOps::spin)).
//!
//! Taking a free lock is one `cmpxchg`, releasing it one store.

use super::check;
use crate::irq::{self, Masked};
use crate::platform::Platform;
use crate::task::{NoPreemption, without_preemption};
use arch::SmpOps;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

/// A value that one CPU at a time can reach, with interrupts masked.
pub type IrqLock<T> = Spinning<T, Masked>;

/// Access to the value of an [`IrqLock`].
pub type IrqGuard<'a, T> = SpinningGuard<'a, T, Masked>;

/// A value that one CPU at a time can reach, with preemption switched off. Not for interrupt handlers, nor with interrupts masked:
/// whoever waits for it still answers interrupts.
pub type SpinLock<T> = Spinning<T, NoPreemption>;

/// Access to the value of a [`SpinLock`].
pub type SpinGuard<'a, T> = SpinningGuard<'a, T, NoPreemption>;

/// What keeps a CPU at its work while it holds a lock: the guard that implements this.
pub trait Shield {
    /// Puts the shield up.
    fn raise() -> Self;
}

impl Shield for Masked {
    #[inline(always)]
    fn raise() -> Self {
        irq::mask()
    }
}

impl Shield for NoPreemption {
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    fn raise() -> Self {
        check::answers_interrupts();
        without_preemption()
    }
}

/// A value that one CPU at a time can reach, behind a shield `S`.
pub struct Spinning<T, S> {
    identity: check::Identity,
    shield: PhantomData<fn() -> S>,
    inner: spin::Mutex<T>,
}

impl<T, S: Shield> Spinning<T, S> {
    /// An unlocked lock around `value`. To the check of lock order, all locks made at one place of the source are the same.
    #[cfg_attr(debug_assertions, track_caller)]
    pub const fn new(value: T) -> Self {
        Self {
            identity: check::Identity::here(),
            shield: PhantomData,
            inner: spin::Mutex::new(value),
        }
    }

    /// Puts the shield up and waits for the lock.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock(&self) -> SpinningGuard<'_, T, S> {
        let shield = S::raise();
        let held = self.identity.spins();
        SpinningGuard {
            value: acquire(&self.inner),
            _held: held,
            _shield: shield,
        }
    }
}

impl<T, S> fmt::Debug for Spinning<T, S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Spinning")
    }
}

/// Access to the value. Dropping it first unlocks, then lets the shield down: the order of the fields.
pub struct SpinningGuard<'a, T, S> {
    value: spin::MutexGuard<'a, T>,
    _held: check::Spins,
    _shield: S,
}

impl<T, S> Deref for SpinningGuard<'_, T, S> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T, S> DerefMut for SpinningGuard<'_, T, S> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T, S> fmt::Debug for SpinningGuard<'_, T, S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SpinningGuard")
    }
}

/// Waits for a bare lock, for whoever has a shield of his own. Nothing is checked.
#[inline(always)]
pub(crate) fn acquire<T>(lock: &spin::Mutex<T>) -> spin::MutexGuard<'_, T> {
    match lock.try_lock() {
        Some(guard) => guard,
        None => wait(lock),
    }
}

#[cold]
#[inline(never)]
fn wait<T>(lock: &spin::Mutex<T>) -> spin::MutexGuard<'_, T> {
    let mut turn = 0;
    loop {
        // Only looking, so that the holder need not fight for the cache line.
        while lock.is_locked() {
            Platform::spin(turn);
            turn = turn.saturating_add(1);
        }
        if let Some(guard) = lock.try_lock() {
            return guard;
        }
    }
}
