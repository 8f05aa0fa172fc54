//! The orders of locks that this kernel has seen since it was booted.

use super::held::{Identity, Place, class_from};
use crate::irq;
use crate::sync::acquire;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use kernel_logic::lock_order::{CLASSES, Class, Edge, HeldLock, Order, Violation};

/// Everything known. A bare lock: it is taken inside of all others, with interrupts masked.
static ORDER: spin::Mutex<Order<Place>> = spin::Mutex::new(Order::new());

/// For each class the set of those that are known to be taken while it is held, to be looked at without the lock.
static KNOWN: [[AtomicU64; WORDS]; CLASSES] = [const { [const { AtomicU64::new(0) }; WORDS] }; CLASSES];
const WORDS: usize = CLASSES.div_ceil(u64::BITS as usize);

/// The class of a lock.
pub(super) fn class_of(lock: &Identity) -> Class {
    class_from(lock.class.load(Relaxed)).unwrap_or_else(|| {
        let _masked = irq::mask();
        let class = acquire(&ORDER).class(lock.created);
        let class =
            class.unwrap_or_else(|| panic!("more than {CLASSES} kinds of locks, the last made at {}", lock.created));
        lock.class.store(class.index() as u8 + 1, Relaxed);
        class
    })
}

/// `taken` is taken while `before` is held.
///
/// # Panics
/// If that is against an order seen before.
pub(super) fn note(before: HeldLock<Place>, taken: HeldLock<Place>) {
    let edge = Edge {
        held: before.class,
        held_since: before.since,
        taken: taken.class,
        taken_at: taken.since,
    };
    let (word, bit) = (edge.taken.index() / 64, 1 << (edge.taken.index() % 64));
    let known = &KNOWN[edge.held.index()][word];
    if known.load(Relaxed) & bit != 0 {
        return;
    }
    let _masked = irq::mask();
    let mut order = acquire(&ORDER);
    match order.note(edge) {
        Ok(()) => {
            known.fetch_or(bit, Relaxed);
        }
        Err(violation) => panic!(
            "{}",
            Report {
                order: &order,
                edge,
                violation
            }
        ),
    }
}

/// A violation, told with all its places.
struct Report<'a> {
    order: &'a Order<Place>,
    edge: Edge<Place>,
    violation: Violation,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (edge, order) = (self.edge, self.order);
        match self.violation {
            Violation::TooMany => return out.write_str("more orders of locks than the check has room for"),
            Violation::SameClass => out.write_str("lock order: two locks of one kind at a time\n")?,
            Violation::Opposite => out.write_str("lock order: two locks are taken in either order\n")?,
        }
        write_edge(out, order, "now", edge)?;
        order
            .chain(edge.taken, edge.held)
            .try_for_each(|seen| write_edge(out, order, "seen before", seen))
    }
}

fn write_edge(out: &mut fmt::Formatter<'_>, order: &Order<Place>, when: &str, edge: Edge<Place>) -> fmt::Result {
    let made = |class| Made(order.created(class));
    writeln!(
        out,
        "  {when}: the lock {}, held since {},\n    then the lock {}, taken at {}",
        made(edge.held),
        edge.held_since,
        made(edge.taken),
        edge.taken_at
    )
}

/// Where the locks of a class are made.
struct Made(Option<Place>);

impl fmt::Display for Made {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(place) => write!(out, "made at {place}"),
            None => out.write_str("of an unknown kind"),
        }
    }
}
