//! A first-in, first-out list from whose middle a member can leave.

use super::embed::Handle;
use super::node::Node;

/// The list: its two ends.
#[derive(Debug)]
pub(super) struct List {
    first: Option<Handle<Node>>,
    last: Option<Handle<Node>>,
}

impl List {
    pub const fn new() -> Self {
        Self {
            first: None,
            last: None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Appends a node that is in no queue.
    pub fn push_back(&mut self, node: Handle<Node>) {
        debug_assert!(!node.linked.get());
        node.linked.set(true);
        node.previous.set(self.last);
        match self.last.replace(node) {
            Some(last) => last.next.set(Some(node)),
            None => self.first = Some(node),
        }
    }

    /// Puts a node that is in no queue before all others.
    pub fn push_front(&mut self, node: Handle<Node>) {
        debug_assert!(!node.linked.get());
        node.linked.set(true);
        node.next.set(self.first);
        match self.first.replace(node) {
            Some(first) => first.previous.set(Some(node)),
            None => self.last = Some(node),
        }
    }

    /// Takes the first out.
    pub fn pop(&mut self) -> Option<Handle<Node>> {
        let first = self.first?;
        self.remove(first);
        Some(first)
    }

    /// Takes out a node that is in this list.
    pub fn remove(&mut self, node: Handle<Node>) {
        let (previous, next) = (node.previous.take(), node.next.take());
        match previous {
            Some(previous) => previous.next.set(next),
            None => self.first = next,
        }
        match next {
            Some(next) => next.previous.set(previous),
            None => self.last = previous,
        }
        node.linked.set(false);
    }

    /// The members in their order.
    pub fn iter(&self) -> impl Iterator<Item = Handle<Node>> {
        core::iter::successors(self.first, |node| node.next.get())
    }
}
