//! What a debug build checks about locks, sleeping and preemption. A release build checks nothing, and pays nothing.
//!
//! All of these mistakes are cheap to make and dear to find, because they need bad luck to show: a lock order that only deadlocks
//! when two CPUs meet, a thread that sleeps with interrupts masked on a CPU that happens to have nothing else to do. So it is the
//! rule that is checked, at the places where it could be broken, whether or not it did harm this time; and the report names the
//! places, those of the locks that are involved included.
//!
//! | what | where it is checked |
//! |---|---|
//! | locks are taken in an order that has no ring | every lock |
//! | nobody sleeps with interrupts masked, without preemption, or with a spinning lock | [`may_sleep`] |
//! | nobody takes a [`SpinLock`](super::SpinLock) with interrupts masked | [`answers_interrupts`] |
//! | a lock is released by who holds it | every guard |
//! | nothing is held when a thread ends or goes to user mode | [`nothing_held`] |
//!
//! The lock of a run queue is not among them: it is taken by one thread and released by the next one, always with interrupts masked,
//! and the scheduler takes no other lock meanwhile. It is bare, see [`acquire`](super::acquire).

cfg_if::cfg_if! {
    if #[cfg(debug_assertions)] {
        mod held;
        mod order;
        mod rules;

        pub use held::{HeldByThread, Identity, Sleeps, Spins};
        pub use rules::{answers_interrupts, may_sleep, nothing_held};
    } else {
        mod nothing;

        pub use nothing::{HeldByThread, Identity, Sleeps, Spins, answers_interrupts, may_sleep, nothing_held};
    }
}
