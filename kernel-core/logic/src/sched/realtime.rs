//! The real-time class: strictly by priority, first come, first served among equals.
//!
//! One bit for each priority that has somebody waiting makes "who is first?" one bit scan, however many wait.

use super::embed::Handle;
use super::entity::Priority;
use super::list::List;
use super::node::Node;

const PRIORITIES: usize = Priority::MAX.get() as usize + 1;

/// The waiting real-time threads of one CPU.
#[derive(Debug)]
pub(super) struct RealtimeQueue {
    occupied: u128,
    lists: [List; PRIORITIES],
}

const _: () = assert!(PRIORITIES <= u128::BITS as usize);

impl RealtimeQueue {
    pub const fn new() -> Self {
        Self {
            occupied: 0,
            lists: [const { List::new() }; PRIORITIES],
        }
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.occupied == 0
    }

    /// Whether somebody of higher priority waits.
    #[inline]
    pub fn has_above(&self, priority: Priority) -> bool {
        self.occupied >> priority.get() > 1
    }

    /// Whether somebody of this priority waits.
    #[inline]
    pub fn has(&self, priority: Priority) -> bool {
        self.occupied >> priority.get() & 1 != 0
    }

    /// Queues behind all of the same priority.
    #[inline(never)]
    pub fn push_back(&mut self, priority: Priority, node: Handle<Node>) {
        self.occupied |= 1 << priority.get();
        self.lists[usize::from(priority.get())].push_back(node);
    }

    /// Queues before all of the same priority: for one who was interrupted and had not finished.
    pub fn push_front(&mut self, priority: Priority, node: Handle<Node>) {
        self.occupied |= 1 << priority.get();
        self.lists[usize::from(priority.get())].push_front(node);
    }

    /// Takes out the first of the highest priority.
    #[inline(never)]
    pub fn pop(&mut self) -> Option<Handle<Node>> {
        let highest = self.occupied.checked_ilog2()? as usize;
        let node = self.lists[highest].pop();
        self.note(highest);
        node
    }

    /// Takes out one that waits here with this priority.
    pub fn remove(&mut self, priority: Priority, node: Handle<Node>) {
        let index = usize::from(priority.get());
        self.lists[index].remove(node);
        self.note(index);
    }

    /// The first, in the order of running, that `wanted` accepts.
    pub fn find(&self, wanted: impl Fn(Handle<Node>) -> bool) -> Option<Handle<Node>> {
        let mut left = self.occupied;
        while let Some(highest) = left.checked_ilog2() {
            let found = self.lists[highest as usize].iter().find(|node| wanted(*node));
            if found.is_some() {
                return found;
            }
            left &= !(1 << highest);
        }
        None
    }

    fn note(&mut self, index: usize) {
        if self.lists[index].is_empty() {
            self.occupied &= !(1 << index);
        }
    }
}
