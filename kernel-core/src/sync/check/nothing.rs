//! The same names for a release build: no size, no code.

/// Which lock a lock is.
#[derive(Debug)]
pub struct Identity;

/// That a spinning lock is held or waited for.
#[derive(Debug)]
pub struct Spins;

/// That a sleeping lock is held or waited for.
#[derive(Debug)]
pub struct Sleeps;

/// The sleeping locks that a thread holds.
#[derive(Debug)]
pub struct HeldByThread;

impl HeldByThread {
    /// Of a new thread.
    #[inline(always)]
    pub const fn none() -> Self {
        Self
    }
}

impl Identity {
    /// Of a new lock.
    #[inline(always)]
    pub const fn here() -> Self {
        Self
    }

    /// The lock is going to be held by this CPU.
    #[inline(always)]
    pub fn spins(&self) -> Spins {
        Spins
    }

    /// The lock is going to be held by this thread.
    #[inline(always)]
    pub fn sleeps(&self) -> Sleeps {
        Sleeps
    }
}

/// Not checked.
#[inline(always)]
pub fn may_sleep() {}

/// Not checked.
#[inline(always)]
pub fn answers_interrupts() {}

/// Not checked.
#[inline(always)]
pub fn nothing_held() {}
