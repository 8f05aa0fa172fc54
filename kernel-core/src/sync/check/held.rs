//! Who holds which locks: a CPU the spinning ones, a thread those that sleep.

use super::order;
use crate::irq;
use crate::task;
use arch::percpu::PerCpuVar;
use core::cell::UnsafeCell;
use core::fmt;
use core::panic::Location;
use core::sync::atomic::AtomicU8;
use kernel_logic::lock_order::{Class, Held, HeldLock};

/// A place in the source.
pub type Place = &'static Location<'static>;

/// The spinning locks that this CPU holds or waits for. Touched with interrupts masked only.
#[unsafe(link_section = ".percpu")]
static SPINNING: PerCpuVar<UnsafeCell<Held<Place>>> = PerCpuVar::new(UnsafeCell::new(Held::new()));

/// The sleeping locks that a thread holds or waits for. Touched by the thread itself only.
pub struct HeldByThread(UnsafeCell<Held<Place>>);

impl HeldByThread {
    /// Of a new thread.
    pub const fn none() -> Self {
        Self(UnsafeCell::new(Held::new()))
    }
}

impl fmt::Debug for HeldByThread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("HeldByThread")
    }
}

/// Which lock a lock is: where it was made, and its class, once that is known.
#[derive(Debug)]
pub struct Identity {
    pub(super) created: Place,
    /// The class's index + 1, or 0 as long as the lock was never taken.
    pub(super) class: AtomicU8,
}

impl Identity {
    /// Of a lock that is made at the caller's place.
    #[track_caller]
    pub const fn here() -> Self {
        Self {
            created: Location::caller(),
            class: AtomicU8::new(0),
        }
    }

    /// The lock is going to be held by this CPU. The caller is not moved to another as long as the answer lives.
    #[track_caller]
    pub fn spins(&self) -> Spins {
        let lock = self.held(Location::caller());
        with_spinning(|held| take(held, lock));
        Spins { lock: lock.lock }
    }

    /// The lock is going to be held by this thread.
    #[track_caller]
    pub fn sleeps(&self) -> Sleeps {
        let lock = self.held(Location::caller());
        with_sleeping(|held| take(held, lock));
        Sleeps { lock: lock.lock }
    }

    fn held(&self, since: Place) -> HeldLock<Place> {
        HeldLock {
            lock: (&raw const *self).addr(),
            class: order::class_of(self),
            since,
        }
    }
}

/// That a spinning lock is held or waited for, by this CPU.
#[derive(Debug)]
pub struct Spins {
    lock: usize,
}

impl Drop for Spins {
    fn drop(&mut self) {
        let held = with_spinning(|held| held.remove(self.lock));
        assert!(held, "a lock was released by a CPU that did not hold it");
    }
}

/// That a sleeping lock is held or waited for, by this thread.
#[derive(Debug)]
pub struct Sleeps {
    lock: usize,
}

impl Drop for Sleeps {
    fn drop(&mut self) {
        let held = with_sleeping(|held| held.remove(self.lock));
        assert!(held, "a mutex was released by a thread that did not hold it");
    }
}

/// Where this CPU took the spinning locks it holds, and the places they were made at.
pub(super) fn spinning() -> Held<Place> {
    let mut copy = Held::new();
    with_spinning(|held| held.iter().for_each(|lock| push(&mut copy, lock)));
    copy
}

/// Where the current thread took the sleeping locks it holds.
pub(super) fn sleeping() -> Held<Place> {
    let mut copy = Held::new();
    with_sleeping(|held| held.iter().for_each(|lock| push(&mut copy, lock)));
    copy
}

fn take(held: &mut Held<Place>, lock: HeldLock<Place>) {
    if let Some(same) = held.iter().find(|other| other.lock == lock.lock) {
        panic!(
            "deadlock: the lock taken at {} is held already, since {}",
            lock.since, same.since
        );
    }
    for before in held.iter() {
        order::note(before, lock);
    }
    push(held, lock);
}

fn push(held: &mut Held<Place>, lock: HeldLock<Place>) {
    assert!(
        held.push(lock).is_ok(),
        "more locks are held than the check has room for"
    );
}

fn with_spinning<R>(use_it: impl FnOnce(&mut Held<Place>) -> R) -> R {
    let _masked = irq::mask();
    // SAFETY: with interrupts masked nobody else on this CPU touches the list, and nothing that `use_it` may do takes a lock of the
    // kind that would: `order` uses a bare one.
    use_it(unsafe { &mut *SPINNING.this().get() })
}

fn with_sleeping<R>(use_it: impl FnOnce(&mut Held<Place>) -> R) -> R {
    // SAFETY: the current thread lives as long as it runs, and only it touches its list.
    use_it(unsafe { &mut *task::current().as_ref().held_locks().0.get() })
}

/// The class that an index + 1 stands for, if it is one.
pub(super) fn class_from(number: u8) -> Option<Class> {
    Class::from_index(usize::from(number).checked_sub(1)?)
}
