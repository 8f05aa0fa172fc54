//! Locks: one that interrupt handlers may take, one that they may not, and one that sleeps.
//!
//! | lock | for data that | while it is held | who waits |
//! |---|---|---|---|
//! | [`IrqLock`] | interrupt handlers touch too | interrupts are masked | spins, masked |
//! | [`SpinLock`] | only threads touch, for short | preemption is off | spins, and answers interrupts |
//! | [`Mutex`] | only threads touch, for long | anything may happen | sleeps |
//!
//! If a handler wants a lock that the code it interrupted holds, both wait for ever. So whoever holds an [`IrqLock`] has interrupts
//! masked, for exactly as long; and nobody takes a [`SpinLock`] with interrupts masked, or the CPU that holds it could be waiting,
//! in a handler, for what this one keeps to itself.
//!
//! A debug build checks these rules and the order in which locks are taken, see [`check`].

pub mod check;
mod mutex;
mod spin_lock;

pub use mutex::{Mutex, MutexGuard};
pub(crate) use spin_lock::acquire;
pub use spin_lock::{IrqGuard, IrqLock, Shield, SpinGuard, SpinLock, Spinning, SpinningGuard};
