//! When a thread may sleep, wait, end, or leave for user mode.

use super::held::{Place, sleeping, spinning};
use crate::irq;
use arch::percpu;
use core::fmt;
use kernel_logic::lock_order::Held;

/// Checks that the current thread may be stopped here. Called by everything that might stop it, even if it does not this time.
///
/// # Panics
/// If interrupts are masked or preemption is off, and thus if a spinning lock is held.
#[track_caller]
pub fn may_sleep() {
    assert!(
        !irq::is_masked(),
        "a thread may not sleep here: interrupts are masked{}",
        List(spinning())
    );
    assert!(
        percpu::preemption_depth() == 0,
        "a thread may not sleep here: preemption is off{}",
        List(spinning())
    );
}

/// Checks that this CPU answers interrupts, so that it may wait for a lock whose holder could be waiting for an answer.
///
/// # Panics
/// If interrupts are masked.
#[track_caller]
pub fn answers_interrupts() {
    assert!(
        !irq::is_masked(),
        "a lock that does not mask interrupts may not be taken here: interrupts are masked{}",
        List(spinning())
    );
}

/// Checks that nothing is held by this thread or by its CPU on its behalf: when it ends, or goes to user mode.
///
/// # Panics
/// If preemption is off, or a lock is held.
#[track_caller]
pub fn nothing_held() {
    let (depth, spinning, sleeping) = (percpu::preemption_depth(), spinning(), sleeping());
    assert!(depth == 0, "a thread leaves with preemption switched off {depth} times");
    assert!(
        spinning.is_empty() && sleeping.is_empty(),
        "a thread leaves with locks{}{}",
        List(spinning),
        List(sleeping)
    );
}

/// Locks, each by where it was taken.
struct List(Held<Place>);

impl fmt::Display for List {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|lock| write!(out, "\n  a lock is held since {}", lock.since))
    }
}
