//! Threads that wait for a point in time.
//!
//! A tickless CPU has one alarm and must know for when to set it, so the earliest deadline is what is asked for most.
//! Most deadlines never come, though: they are time-outs of waits that end well. A heap suits both; a timer wheel would
//! be cheaper to insert into, but would round deadlines, and would have to be searched for the earliest.

use super::embed::{Embeds, Handle};
use super::heap::{Heap, Plain};
use super::node::Node;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// The part of a thread by which it sleeps.
#[derive(Debug, Default)]
pub struct Sleeper {
    node: Node,
}

crate::embeds!(Sleeper { node: Node });

// SAFETY: its cells are used only by the `Sleepers` it was given to, under their lock: the callers promise it.
unsafe impl Sync for Sleeper {}
// SAFETY: as above; the links lead to sleepers of the same set.
unsafe impl Send for Sleeper {}

impl Sleeper {
    /// One that does not sleep.
    pub const fn new() -> Self {
        Self { node: Node::new() }
    }
}

/// Sleeping threads, by deadline. One for each CPU, under a lock.
///
/// A thread stays alive and in its place from [`insert`](Self::insert) until it is out again.
#[derive(Debug)]
pub struct Sleepers<T> {
    heap: Heap<Plain>,
    threads: PhantomData<NonNull<T>>,
}

// SAFETY: the threads behind the links may be reached from any CPU, if `T` may.
unsafe impl<T: Sync> Send for Sleepers<T> {}

impl<T: Embeds<Sleeper>> Sleepers<T> {
    /// Nobody.
    pub const fn new() -> Self {
        Self {
            heap: Heap::new(),
            threads: PhantomData,
        }
    }

    /// The earliest deadline, for which the alarm is to be set; `None` if nobody sleeps.
    #[inline]
    pub fn earliest(&self) -> Option<u64> {
        self.heap.first().map(|node| node.key.get())
    }

    /// Adds a thread that is to be woken at `deadline`.
    ///
    /// # Panics
    /// If the thread already sleeps.
    ///
    /// # Safety
    /// The thread is in no such set, and keeps to what [the set](Self) expects.
    pub unsafe fn insert(&mut self, thread: NonNull<T>, deadline: u64) {
        // SAFETY: the caller's promise.
        let node = unsafe { node(thread) };
        assert!(!node.linked.get(), "a thread was put to sleep twice");
        node.key.set(deadline);
        self.heap.insert(node);
    }

    /// Takes out one whose deadline is not after `now`, earlier ones first.
    pub fn pop_due(&mut self, now: u64) -> Option<NonNull<T>> {
        if self.earliest()? > now {
            return None;
        }
        self.heap.pop().map(thread)
    }

    /// Takes out a thread before its time; `false` if it did not sleep, or its time has come already.
    ///
    /// # Safety
    /// The thread is in this set or in none.
    pub unsafe fn remove(&mut self, thread: NonNull<T>) -> bool {
        // SAFETY: the caller's promise.
        let node = unsafe { node(thread) };
        let sleeps = node.linked.get();
        if sleeps {
            self.heap.remove(node);
        }
        sleeps
    }
}

impl<T: Embeds<Sleeper>> Default for Sleepers<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The node by which a thread sleeps.
///
/// # Safety
/// The thread keeps to what [`Sleepers`] expects.
unsafe fn node<T: Embeds<Sleeper>>(thread: NonNull<T>) -> Handle<Node> {
    // SAFETY: the caller's promise.
    unsafe { Handle::new(thread).part::<Sleeper>().part() }
}

/// The thread that sleeps by `node`.
fn thread<T: Embeds<Sleeper>>(node: Handle<Node>) -> NonNull<T> {
    // SAFETY: all nodes in a `Sleepers<T>` came in by the function `node` above, from a `T`.
    unsafe { node.whole::<Sleeper>().whole::<T>().pointer() }
}
