//! The links that all queues share.
//!
//! A heap needs three pointers and a list two; one kind of node for both costs a few bytes and saves a second set of
//! links in each thread, as nothing is ever in a heap and a list by the same node.

use super::embed::Handle;
use core::cell::Cell;

/// A place in a heap or in a list, within the object that has it.
///
/// Its cells are used only by the queue it is in, or under the lock of the queue it goes to: that is part of what
/// `insert` and the like are promised. Outside all queues the three links are `None`.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// What a heap orders by.
    pub key: Cell<u64>,
    /// The next sibling in a heap, or member in a list.
    pub next: Cell<Option<Handle<Node>>>,
    /// The previous sibling or member; for the first child of a heap's node, the parent.
    pub previous: Cell<Option<Handle<Node>>>,
    /// The first child in a heap.
    pub child: Cell<Option<Handle<Node>>>,
    /// Whether it is in a queue.
    pub linked: Cell<bool>,
}

impl Node {
    pub const fn new() -> Self {
        Self {
            key: Cell::new(0),
            next: Cell::new(None),
            previous: Cell::new(None),
            child: Cell::new(None),
            linked: Cell::new(false),
        }
    }
}
