//! Locks: one that interrupt handlers may take, and one that sleeps ([`Mutex`]).
//!
//! If a handler wants a lock that the code it interrupted holds, both wait for ever. So whoever holds this one has interrupts
//! masked, for exactly as long.

mod mutex;

pub use mutex::{Mutex, MutexGuard};

use crate::irq::{self, Masked};
use core::fmt;
use core::ops::{Deref, DerefMut};
use spin::{Mutex as SpinMutex, MutexGuard as SpinGuard};

/// A value that one CPU at a time can reach, with interrupts masked.
pub struct IrqLock<T> {
    inner: SpinMutex<T>,
}

impl<T> IrqLock<T> {
    /// An unlocked lock around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            inner: SpinMutex::new(value),
        }
    }

    /// Masks interrupts and waits for the lock.
    pub fn lock(&self) -> IrqGuard<'_, T> {
        let masked = irq::mask();
        IrqGuard {
            value: self.inner.lock(),
            _masked: masked,
        }
    }
}

impl<T> fmt::Debug for IrqLock<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("IrqLock")
    }
}

/// Access to the value. Dropping it first unlocks, then restores the interrupt mask: the order of the fields.
pub struct IrqGuard<'a, T> {
    value: SpinGuard<'a, T>,
    _masked: Masked,
}

impl<T> Deref for IrqGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for IrqGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> fmt::Debug for IrqGuard<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("IrqGuard")
    }
}
