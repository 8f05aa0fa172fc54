//! Threads that wait for something to happen, first come, first served.
//!
//! The one difficulty of waiting is that it may end in two ways at once: another thread wakes the waiter while its
//! time-out strikes on a third CPU. Whoever comes second must neither wake it again nor count it as woken, or a
//! semaphore's unit would go to a thread that has already given up. Hence [`WaitQueue::wake`] asks for each waiter
//! whether it is really the caller's to wake ([`WakeClaim`](super::WakeClaim) answers that), and goes on to the next if
//! it is not.

use super::embed::{Embeds, Handle};
use super::list::List;
use super::node::Node;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// The part of a thread by which it waits.
#[derive(Debug, Default)]
pub struct Waiter {
    node: Node,
}

crate::embeds!(Waiter { node: Node });

// SAFETY: its cells are used only by the `WaitQueue` it was given to, under its lock: the callers promise it.
unsafe impl Sync for Waiter {}
// SAFETY: as above; the links lead to waiters in the same queue.
unsafe impl Send for Waiter {}

impl Waiter {
    /// One that does not wait.
    pub const fn new() -> Self {
        Self { node: Node::new() }
    }
}

/// Waiting threads in the order they came. It lives under a lock, together with whatever they wait for.
///
/// A thread stays alive and in its place from [`push`](Self::push) until it is out again.
#[derive(Debug)]
pub struct WaitQueue<T> {
    list: List,
    threads: PhantomData<NonNull<T>>,
}

// SAFETY: the threads behind the links may be reached from any CPU, if `T` may.
unsafe impl<T: Sync> Send for WaitQueue<T> {}

impl<T: Embeds<Waiter>> WaitQueue<T> {
    /// Nobody.
    pub const fn new() -> Self {
        Self {
            list: List::new(),
            threads: PhantomData,
        }
    }

    /// Whether nobody waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a thread behind all others.
    ///
    /// # Panics
    /// If the thread already waits.
    ///
    /// # Safety
    /// The thread is in no wait queue, and keeps to what [the queue](Self) expects.
    pub unsafe fn push(&mut self, thread: NonNull<T>) {
        // SAFETY: the caller's promise.
        let node = unsafe { node(thread) };
        assert!(!node.linked.get(), "a thread was made to wait twice");
        self.list.push_back(node);
    }

    /// Takes out the first.
    pub fn pop(&mut self) -> Option<NonNull<T>> {
        self.list.pop().map(thread)
    }

    /// Takes out and wakes the first `limit` of those that `wake` accepts: it answers whether it has woken the thread
    /// it is given. Those it does not accept are out as well, and not counted. Returns how many were woken.
    ///
    /// `usize::MAX` wakes all.
    pub fn wake(&mut self, limit: usize, mut wake: impl FnMut(NonNull<T>) -> bool) -> usize {
        let mut woken = 0;
        while woken < limit {
            let Some(thread) = self.pop() else { break };
            woken += usize::from(wake(thread));
        }
        woken
    }

    /// Takes out a thread that no longer wants to wait; `false` if it did not wait any more.
    ///
    /// # Safety
    /// The thread is in this queue or in none.
    pub unsafe fn remove(&mut self, thread: NonNull<T>) -> bool {
        // SAFETY: the caller's promise.
        let node = unsafe { node(thread) };
        let waits = node.linked.get();
        if waits {
            self.list.remove(node);
        }
        waits
    }
}

impl<T: Embeds<Waiter>> Default for WaitQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The node by which a thread waits.
///
/// # Safety
/// The thread keeps to what [`WaitQueue`] expects.
unsafe fn node<T: Embeds<Waiter>>(thread: NonNull<T>) -> Handle<Node> {
    // SAFETY: the caller's promise.
    unsafe { Handle::new(thread).part::<Waiter>().part() }
}

/// The thread that waits by `node`.
fn thread<T: Embeds<Waiter>>(node: Handle<Node>) -> NonNull<T> {
    // SAFETY: all nodes in a `WaitQueue<T>` came in by the function `node` above, from a `T`.
    unsafe { node.whole::<Waiter>().whole::<T>().pointer() }
}
