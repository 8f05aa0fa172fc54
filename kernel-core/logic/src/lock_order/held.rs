//! The locks that one CPU or one thread holds.

use super::Class;

/// A lock that is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldLock<P> {
    /// Its address.
    pub lock: usize,
    /// Its class.
    pub class: Class,
    /// Where it was taken.
    pub since: P,
}

/// More locks were taken than anybody should hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooDeep;

/// How many locks somebody can be known to hold.
pub const DEPTH: usize = 16;

/// The locks that somebody holds, the first taken first. They may be released in any order.
#[derive(Debug)]
pub struct Held<P> {
    locks: [Option<HeldLock<P>>; DEPTH],
    count: usize,
}

impl<P: Copy> Held<P> {
    /// None.
    pub const fn new() -> Self {
        Self {
            locks: [None; DEPTH],
            count: 0,
        }
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`TooDeep`] if there is no room for it.
    pub fn push(&mut self, lock: HeldLock<P>) -> Result<(), TooDeep> {
        *self.locks.get_mut(self.count).ok_or(TooDeep)? = Some(lock);
        self.count += 1;
        Ok(())
    }

    /// Takes out the lock at address `lock`; `false` if it is not held.
    #[must_use]
    pub fn remove(&mut self, lock: usize) -> bool {
        let held = &mut self.locks[..self.count];
        let Some(place) = held.iter().rposition(|held| held.is_some_and(|held| held.lock == lock)) else {
            return false;
        };
        held[place..].rotate_left(1);
        self.count -= 1;
        self.locks[self.count] = None;
        true
    }

    /// Those that are held.
    pub fn iter(&self) -> impl Iterator<Item = HeldLock<P>> {
        self.locks[..self.count].iter().copied().flatten()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl<P: Copy> Default for Held<P> {
    fn default() -> Self {
        Self::new()
    }
}
