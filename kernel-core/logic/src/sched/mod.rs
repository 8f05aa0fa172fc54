//! Whom to run, whom to wake, and when: the scheduler without the switching.
//!
//! Scheduling bugs are the worst kind to have in a kernel: a thread that is forgotten once in a million wake-ups, a
//! share that is off by a third only when four threads have three weights. They come from the decisions, not from the
//! registers that are exchanged, and decisions need no machine. So all of them are made here, in types that are told
//! the time and asked what to do next, and the core adds locks, alarms and the switch.
//!
//! | type | one for each | what it decides |
//! |---|---|---|
//! | [`RunQueue`] | CPU, under a lock | who runs, until when, who is stolen |
//! | [`Sleepers`] | CPU, under a lock | who wakes when; for when the alarm is set |
//! | [`WaitQueue`] | thing to wait for, under its lock | who of those who wait is next |
//! | [`Inbox`] | CPU, lock-free | nothing: it carries woken threads to their CPU |
//! | [`WakeClaim`] | thread, lock-free | who of several wakers wakes |
//!
//! # No memory of their own
//! All of it is intrusive: a thread has a [`SchedEntity`], a [`Sleeper`], a [`Waiter`] and an [`InboxLink`] as fields,
//! and the queues link these ([`embeds!`](crate::embeds) tells them where the fields are). The alternative, queues of
//! indices into a table of threads, is safe Rust throughout, but puts a bound on the number of threads, or a growing
//! table behind a lock that every switch on every CPU takes; and what could go wrong with pointers, a thread that goes
//! away while it is queued, goes just as wrong with an index that is used again. Nothing here allocates, and nothing
//! recurses.
//!
//! # How a core drives it
//! ```
//! use arch::percpu::{CpuId, CpuSet};
//! use core::ptr::NonNull;
//! use kernel_logic::embeds;
//! use kernel_logic::sched::{Class, Decision, RunQueue, SchedEntity, Sleeper, Sleepers, Weight};
//!
//! struct Thread {
//!     sched: SchedEntity,
//!     sleeper: Sleeper,
//! }
//! embeds!(Thread { sched: SchedEntity, sleeper: Sleeper });
//!
//! let class = Class::Fair(Weight::NORMAL);
//! let make = || Thread { sched: SchedEntity::new(class, CpuSet::ALL), sleeper: Sleeper::new() };
//! let (a, b) = (make(), make());
//! let (a, b) = (NonNull::from(&a), NonNull::from(&b));
//! let (mut queue, mut sleepers) = (RunQueue::new(CpuId(0)), Sleepers::new());
//!
//! // SAFETY: both threads are on no queue yet, and live until the end.
//! unsafe {
//!     // Two threads become runnable on an idle CPU, which looks whom to run.
//!     assert_eq!(queue.insert(a, 0), Decision::Reschedule);
//!     assert_eq!(queue.reschedule(0), Some(a));
//!     assert_eq!(queue.preempt_at(), None, "alone: no alarm is needed");
//!     assert_eq!(queue.insert(b, 10), Decision::Continue);
//!
//!     // The alarm is set for this time, and goes off.
//!     let alarm = queue.preempt_at().unwrap();
//!     assert_eq!(queue.tick(alarm), Decision::Reschedule);
//!     assert_eq!(queue.reschedule(alarm), Some(b));
//!
//!     // The running thread goes to sleep; then the other does, and the CPU is idle until a deadline.
//!     sleepers.insert(b, alarm + 500);
//!     assert_eq!(queue.leave(alarm + 100), Some(a));
//!     sleepers.insert(a, alarm + 900);
//!     assert_eq!(queue.leave(alarm + 200), None);
//!     assert_eq!(sleepers.earliest(), Some(alarm + 500));
//!
//!     // The deadline comes. Another CPU, which is idle, takes the thread before this one runs it.
//!     let woken = sleepers.pop_due(alarm + 500).unwrap();
//!     assert_eq!(queue.insert(woken, alarm + 500), Decision::Reschedule);
//!     let mut other = RunQueue::new(CpuId(1));
//!     let stolen = queue.steal(CpuId(1)).unwrap();
//!     assert_eq!(other.insert(stolen, alarm + 510), Decision::Reschedule);
//!     assert_eq!(other.reschedule(alarm + 510), Some(b));
//! }
//! ```
//! Two rules come from outside this code. The lock of the run queue is held until the switch that
//! [`RunQueue::reschedule`] asked for is complete (the thread that runs next releases it), or another CPU could steal
//! and run a thread whose registers are still being saved. And nobody locks two run queues at once: to steal is to
//! lock, take, unlock, and then to lock one's own.

mod claim;
mod embed;
mod entity;
mod fair;
mod heap;
mod inbox;
mod list;
mod node;
mod realtime;
mod run_queue;
mod sleepers;
mod wait_queue;
mod weight;

pub use claim::WakeClaim;
pub use embed::Embeds;
pub use entity::{Class, Facts, Priority, SchedEntity};
pub use fair::{ROUND, SLEEPER_CREDIT, SLICE_MAX, SLICE_MIN, WAKE_LEAD};
pub use inbox::{Drained, Inbox, InboxLink, Notice};
pub use run_queue::{Decision, Fit, RunQueue, Turn, steal_order};
pub use sleepers::{Sleeper, Sleepers};
pub use wait_queue::{WaitQueue, Waiter};
pub use weight::Weight;

#[cfg(test)]
mod tests;
