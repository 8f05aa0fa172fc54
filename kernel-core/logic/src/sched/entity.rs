//! What the scheduler knows about one thread.

use super::embed::Handle;
use super::node::Node;
use super::weight::{Pace, Weight};
use arch::percpu::{CpuId, CpuSet};
use core::cell::Cell;

/// A real-time priority, 1 to 99 as in POSIX; higher runs first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Priority(u8);

impl Priority {
    /// The lowest.
    pub const MIN: Self = Self(1);

    /// The highest.
    pub const MAX: Self = Self(99);

    /// A priority from 1 to 99; `None` beyond these.
    pub const fn new(priority: u8) -> Option<Self> {
        if priority < Self::MIN.0 || priority > Self::MAX.0 {
            return None;
        }
        Some(Self(priority))
    }

    /// The number itself.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// By which rule a thread gets the CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// A share of what the real-time threads leave.
    Fair(Weight),
    /// Before all fair threads and all of lower priority, for as long as it wants.
    Realtime(Priority),
}

impl Class {
    const fn pace(self) -> Pace {
        match self {
            Self::Fair(weight) => weight.pace(),
            Self::Realtime(_) => Pace::STANDING,
        }
    }
}

/// The scheduler's part of a thread.
///
/// The thread may be shared; the entity's cells are used only under the lock of the run queue that the thread is on,
/// runs on, or is about to be put on.
#[derive(Debug)]
pub struct SchedEntity {
    /// Its key is the thread's time on the virtual clock of its `home`.
    pub(super) node: Node,
    class: Cell<Class>,
    /// What follows from the class, so that a switch need not ask for it.
    pace: Cell<Pace>,
    pub(super) affinity: Cell<CpuSet>,
    /// The CPU on whose queue it was last; none if on none yet.
    pub(super) home: Cell<Option<CpuId>>,
    /// What the virtual clock of `home` showed when the thread left.
    pub(super) left_at: Cell<u64>,
    pub(super) runtime: Cell<u64>,
}

crate::embeds!(SchedEntity { node: Node });

// SAFETY: the cells are used only by the run queue the entity was given to, under its lock: the callers of `RunQueue`
// promise it.
unsafe impl Sync for SchedEntity {}
// SAFETY: as above; the links lead to entities of the same queue.
unsafe impl Send for SchedEntity {}

impl SchedEntity {
    /// A thread that has not run yet and may run on the CPUs in `affinity`, of which there must be one.
    pub const fn new(class: Class, affinity: CpuSet) -> Self {
        Self {
            node: Node::new(),
            class: Cell::new(class),
            pace: Cell::new(class.pace()),
            affinity: Cell::new(affinity),
            home: Cell::new(None),
            left_at: Cell::new(0),
            runtime: Cell::new(0),
        }
    }

    /// By which rule the thread gets the CPU.
    #[inline(always)]
    pub(super) fn class(&self) -> Class {
        self.class.get()
    }

    /// Gives the thread another class; returns the one it had.
    pub(super) fn set_class(&self, class: Class) -> Class {
        self.pace.set(class.pace());
        self.class.replace(class)
    }

    /// Whether the thread is of the fair class.
    #[inline(always)]
    pub(super) fn is_fair(&self) -> bool {
        matches!(self.class.get(), Class::Fair(_))
    }

    /// Charges the thread for having run. Returns what its clock is to show, at the least.
    #[inline(always)]
    pub(super) fn charge(&self, nanoseconds: u64) -> u64 {
        self.runtime.set(self.runtime.get() + nanoseconds);
        let ran = self.pace.get().virtual_time(nanoseconds);
        self.node.key.get().wrapping_add(ran)
    }

    /// The entity that a node in a run queue belongs to.
    #[inline(always)]
    pub(super) fn of(node: Handle<Node>) -> Handle<Self> {
        // SAFETY: the nodes in a run queue's heap and lists were all made from handles of entities.
        unsafe { node.whole() }
    }
}

/// A copy of the facts about a thread, for those who report them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// By which rule it gets the CPU.
    pub class: Class,
    /// Where it may run.
    pub affinity: CpuSet,
    /// How long it has run, in nanoseconds, up to the last time it was charged.
    pub runtime: u64,
    /// The CPU on whose queue it is or was last.
    pub home: Option<CpuId>,
}

impl SchedEntity {
    /// The facts at this moment.
    ///
    /// # Safety
    /// The caller holds the lock of the run queue that the thread is on or runs on, or the thread is on none.
    pub unsafe fn facts(&self) -> Facts {
        Facts {
            class: self.class.get(),
            affinity: self.affinity.get(),
            runtime: self.runtime.get(),
            home: self.home.get(),
        }
    }
}
