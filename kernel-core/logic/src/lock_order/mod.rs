//! In which order locks are taken, and whether that can go on for ever without two CPUs waiting for each other.
//!
//! A deadlock needs an unlucky moment; the mistake behind it does not. If one place takes lock B while it holds A, and another
//! takes A while it holds B, both can have run a thousand times without meeting. So instead of waiting for the accident, a debug
//! build writes down every order it sees, and whoever is the first to take two locks in an order that closes a ring is told, with
//! all places that are involved. (Linux has checked its locks so since 2006: `Documentation/locking/lockdep-design.rst`.)
//!
//! Locks come and go, orders are rules of the source. So what is ordered are not locks but *classes* of them: all locks that were
//! made at one place of the source are one class. Of one class only one lock may be held at a time, as nothing says which of two
//! is first.
//!
//! All of it has a fixed size: the check runs inside the locks of the allocator.

mod held;
#[cfg(test)]
mod tests;

pub use held::{DEPTH, Held, HeldLock, TooDeep};

/// How many classes of locks can be told apart.
pub const CLASSES: usize = u128::BITS as usize;

/// How many pairs of classes can be remembered.
pub const EDGES: usize = 512;

/// A class of locks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Class(u8);

const _: () = assert!(CLASSES <= 1 << u8::BITS);

impl Class {
    /// A number below [`CLASSES`], another for each class.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// The class whose [`index`](Self::index) this is, if there can be one.
    pub fn from_index(index: usize) -> Option<Self> {
        (index < CLASSES).then_some(Self(index as u8))
    }

    fn bit(self) -> u128 {
        1 << self.0
    }
}

/// That a lock of one class was taken while one of another was held. `P` is a place in the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge<P> {
    /// The class that was held.
    pub held: Class,
    /// Where it had been taken.
    pub held_since: P,
    /// The class that was taken.
    pub taken: Class,
    /// Where that was.
    pub taken_at: P,
}

/// Why two locks should not have been taken in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Both are of the same class: no order is right.
    SameClass,
    /// The opposite order has been seen before; [`Order::chain`] names where.
    Opposite,
    /// There are more orders than can be remembered.
    TooMany,
}

/// All orders seen so far.
#[derive(Debug)]
pub struct Order<P> {
    /// Where the locks of each class are made.
    created: [Option<P>; CLASSES],
    /// For each class the set of those that were taken while it was held.
    after: [u128; CLASSES],
    edges: [Option<Edge<P>>; EDGES],
    known: usize,
}

impl<P: Copy + PartialEq> Order<P> {
    /// Nothing has been seen.
    pub const fn new() -> Self {
        Self {
            created: [None; CLASSES],
            after: [0; CLASSES],
            edges: [None; EDGES],
            known: 0,
        }
    }

    /// The class of the locks that are made at `created`; `None` if there are too many.
    pub fn class(&mut self, created: P) -> Option<Class> {
        let place = self
            .created
            .iter()
            .position(|known| known.is_none_or(|known| known == created))?;
        self.created[place] = Some(created);
        Class::from_index(place)
    }

    /// Where the locks of `class` are made, if there is such a class.
    pub fn created(&self, class: Class) -> Option<P> {
        self.created[class.index()]
    }

    /// Remembers an order.
    ///
    /// # Errors
    /// [`Violation`], and then it is not remembered: all that is remembered can be put in a line.
    pub fn note(&mut self, edge: Edge<P>) -> Result<(), Violation> {
        if edge.held == edge.taken {
            return Err(Violation::SameClass);
        }
        if self.after[edge.held.index()] & edge.taken.bit() != 0 {
            return Ok(());
        }
        if self.leading_to(edge.held) & edge.taken.bit() != 0 {
            return Err(Violation::Opposite);
        }
        let room = self.edges.get_mut(self.known).ok_or(Violation::TooMany)?;
        *room = Some(edge);
        self.known += 1;
        self.after[edge.held.index()] |= edge.taken.bit();
        Ok(())
    }

    /// How it is known that `first` is taken before `last`: orders of which each begins with what the one before ends with. Nothing, if
    /// it is not known.
    pub fn chain(&self, first: Class, last: Class) -> impl Iterator<Item = Edge<P>> {
        let leading = self.leading_to(last);
        let mut here = first;
        // It ends, since what is remembered has no ring.
        core::iter::from_fn(move || {
            let next = self.edges().find(|edge| {
                here != last && edge.held == here && (edge.taken == last || leading & edge.taken.bit() != 0)
            })?;
            here = next.taken;
            Some(next)
        })
    }

    /// The classes that were held, directly or by way of others, when `last` was taken.
    fn leading_to(&self, last: Class) -> u128 {
        let mut found = 0;
        loop {
            let goal = found | last.bit();
            let before = self.edges().filter(|edge| goal & edge.taken.bit() != 0);
            let more = before.fold(found, |found, edge| found | edge.held.bit());
            if more == found {
                return found;
            }
            found = more;
        }
    }

    fn edges(&self) -> impl Iterator<Item = Edge<P>> {
        self.edges[..self.known].iter().copied().flatten()
    }
}

impl<P: Copy + PartialEq> Default for Order<P> {
    fn default() -> Self {
        Self::new()
    }
}
