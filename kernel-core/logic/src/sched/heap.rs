//! The earliest of many: a pairing heap whose nodes lie in the threads.
//!
//! A scheduler asks one question all the time, *who is first?*, and inserts far more often than it cancels. A balanced
//! tree answers more questions than that and pays for them with rotations on every insertion. In a pairing heap
//! (Fredman, Sedgewick, Sleator and Tarjan, Algorithmica 1, 1986) inserting is one comparison and a few stores, looking
//! is one load, and the order below the first is only worked out when the first leaves: O(log n) amortised, and next to
//! nothing for the one or two threads that usually wait. The price is that a single removal may visit all nodes, once,
//! if many were inserted since the last.
//!
//! Nothing here recurses: a kernel stack is small.

use super::embed::Handle;
use super::node::Node;
use core::fmt;
use core::marker::PhantomData;

/// How two keys compare.
pub(super) trait Order {
    /// Whether `a` comes strictly before `b`.
    fn before(a: u64, b: u64) -> bool;
}

/// Numbers as they are.
pub(super) struct Plain;

impl Order for Plain {
    #[inline(always)]
    fn before(a: u64, b: u64) -> bool {
        a < b
    }
}

/// Points on a circle that are never half of it apart: a clock that may wrap.
pub(super) struct Wrapping;

impl Order for Wrapping {
    #[inline(always)]
    fn before(a: u64, b: u64) -> bool {
        a.wrapping_sub(b).cast_signed() < 0
    }
}

/// The first of a heap, and the second if there is one.
#[derive(Clone, Copy)]
pub(super) struct EasyFirst {
    pub first: Handle<Node>,
    second: Option<Handle<Node>>,
}

/// The heap: its first.
pub(super) struct Heap<O> {
    root: Option<Handle<Node>>,
    order: PhantomData<O>,
}

impl<O> fmt::Debug for Heap<O> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Heap(first key {:?})", self.root.map(|root| root.key.get()))
    }
}

impl<O: Order> Heap<O> {
    pub const fn new() -> Self {
        Self {
            root: None,
            order: PhantomData,
        }
    }

    /// The first, which stays.
    #[inline(always)]
    pub fn first(&self) -> Option<Handle<Node>> {
        self.root
    }

    /// Puts in a node that is in no queue, by its key.
    #[inline]
    pub fn insert(&mut self, node: Handle<Node>) {
        debug_assert!(!node.linked.get());
        node.linked.set(true);
        self.root = Some(match self.root {
            Some(root) => Self::meld(root, node),
            None => node,
        });
    }

    /// Takes the first out.
    #[inline]
    pub fn pop(&mut self) -> Option<Handle<Node>> {
        let root = self.root?;
        self.root = Self::orphan(root);
        root.linked.set(false);
        Some(root)
    }

    /// The first, which is `first`, if it is cheap to [`exchange`](Self::exchange): if what is below it has a first already.
    #[inline(always)]
    pub fn easy(&self, first: Handle<Node>) -> Option<EasyFirst> {
        debug_assert!(self.root == Some(first));
        let second = first.child.get();
        match second {
            Some(second) if second.next.get().is_some() => None,
            _ => Some(EasyFirst { first, second }),
        }
    }

    /// Takes out the first, and puts in `node`.
    #[inline(always)]
    pub fn exchange(&mut self, EasyFirst { first, second }: EasyFirst, node: Handle<Node>) {
        debug_assert!(self.root == Some(first) && !node.linked.get());
        first.linked.set(false);
        node.linked.set(true);
        self.root = Some(match second {
            Some(second) => {
                first.child.set(None);
                second.previous.set(None);
                Self::meld(second, node)
            }
            None => node,
        });
    }

    /// Takes out a node that is in this heap.
    pub fn remove(&mut self, node: Handle<Node>) {
        let children = Self::orphan(node);
        self.root = match self.root {
            Some(root) if root != node => {
                Self::detach(node);
                Some(children.map_or(root, |children| Self::meld(root, children)))
            }
            _ => children,
        };
        node.linked.set(false);
    }

    /// Any node that `wanted` accepts, the first if it does.
    pub fn find(&self, wanted: impl Fn(Handle<Node>) -> bool) -> Option<Handle<Node>> {
        core::iter::successors(self.root, |node| following(*node)).find(|node| wanted(*node))
    }

    /// Joins two heaps into one and tells its first. `a` stays first if they are equal.
    #[inline]
    fn meld(a: Handle<Node>, b: Handle<Node>) -> Handle<Node> {
        let (parent, child) = if O::before(b.key.get(), a.key.get()) {
            (b, a)
        } else {
            (a, b)
        };
        child.next.set(parent.child.get());
        if let Some(sibling) = parent.child.get() {
            sibling.previous.set(Some(child));
        }
        child.previous.set(Some(parent));
        parent.child.set(Some(child));
        parent
    }

    /// Takes `node` from its parent and siblings, together with all below it.
    fn detach(node: Handle<Node>) {
        let (previous, next) = (node.previous.take(), node.next.take());
        match previous {
            Some(parent) if parent.child.get() == Some(node) => parent.child.set(next),
            Some(sibling) => sibling.next.set(next),
            None => {}
        }
        if let Some(next) = next {
            next.previous.set(previous);
        }
    }

    /// Takes the children from `parent` and makes one heap of them.
    #[inline]
    fn orphan(parent: Handle<Node>) -> Option<Handle<Node>> {
        let only = parent.child.take()?;
        if only.next.get().is_none() {
            only.previous.set(None);
            return Some(only);
        }
        Self::merge(only)
    }

    /// Makes one heap of a list of siblings: first pairs from left to right, then all of these from right to left. It
    /// is this order that the O(log n) rests on.
    #[inline(never)]
    fn merge(first: Handle<Node>) -> Option<Handle<Node>> {
        let (mut rest, mut pairs) = (Some(first), None);
        while let Some(a) = rest {
            rest = a.next.take();
            let pair = match rest {
                Some(b) => {
                    rest = b.next.take();
                    Self::meld(a, b)
                }
                None => a,
            };
            pair.previous.set(None);
            pair.next.set(pairs);
            pairs = Some(pair);
        }
        let mut root = pairs?;
        let mut next = root.next.take();
        while let Some(pair) = next {
            next = pair.next.take();
            root = Self::meld(root, pair);
        }
        root.previous.set(None);
        Some(root)
    }
}

/// The node after `node`, parents before children.
fn following(node: Handle<Node>) -> Option<Handle<Node>> {
    let below = node.child.get();
    below.or_else(|| core::iter::successors(Some(node), |node| parent(*node)).find_map(|node| node.next.get()))
}

/// The parent of a node; none for the first of the heap.
fn parent(node: Handle<Node>) -> Option<Handle<Node>> {
    let mut at = node;
    loop {
        let previous = at.previous.get()?;
        if previous.child.get() == Some(at) {
            return Some(previous);
        }
        at = previous;
    }
}
