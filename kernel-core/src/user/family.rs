//! Parents, children, and who hears of whose end.
//!
//! A process that ended stays in its parent's list until the parent asks (`wait4`). One without a parent, or whose parent has ended,
//! leaves nothing behind.

use super::Process;
use crate::sync::Mutex;
use crate::task::WaitList;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

/// Which children a process waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// Any.
    Any,
    /// The one with this number.
    Only(u32),
}

/// A process's relations.
#[derive(Debug)]
pub(super) struct Family {
    parent: Weak<Process>,
    children: Mutex<Vec<Arc<Process>>>,
    /// How many children have ended so far.
    ends: AtomicU64,
    waiting_for_children: WaitList,
}

impl Family {
    pub fn new(parent: Option<&Arc<Process>>) -> Self {
        Self {
            parent: parent.map_or_else(Weak::new, Arc::downgrade),
            children: Mutex::new(Vec::new()),
            ends: AtomicU64::new(0),
            waiting_for_children: WaitList::new(),
        }
    }

    /// The parent, as long as it exists.
    pub fn parent(&self) -> Option<Arc<Process>> {
        self.parent.upgrade()
    }

    pub fn add_child(&self, child: Arc<Process>) {
        self.children.lock().push(child);
    }

    /// The child with this number.
    pub fn child(&self, id: u32) -> Option<Arc<Process>> {
        self.children.lock().iter().find(|child| child.id().0 == id).cloned()
    }

    /// Forgets a child that never began to run.
    pub fn remove_child(&self, child: &Arc<Process>) {
        self.children.lock().retain(|other| !Arc::ptr_eq(other, child));
    }

    /// Gives all children up, dead or alive.
    pub fn abandon_children(&self) {
        let children = core::mem::take(&mut *self.children.lock());
        drop(children);
    }

    /// Tells the parent that this process has ended.
    pub fn tell_parent(&self) {
        if let Some(parent) = self.parent() {
            parent.family.ends.fetch_add(1, AcqRel);
            parent.family.waiting_for_children.wake_all();
        }
    }

    /// Waits for the end of a wanted child and takes it off the list; `Ok(None)` if `enough` said before that it is no use.
    pub fn wait_for_child(&self, wanted: Wanted, enough: impl Fn() -> bool) -> Result<Option<Arc<Process>>, NoChild> {
        loop {
            let seen = self.ends.load(Acquire);
            let found = self.take_ended(wanted)?;
            if found.is_some() || enough() {
                return Ok(found);
            }
            let ready = || self.ends.load(Acquire) != seen || enough();
            self.waiting_for_children.wait_until(ready, None);
        }
    }

    /// Takes a wanted child off the list, if one has ended.
    pub fn take_ended(&self, wanted: Wanted) -> Result<Option<Arc<Process>>, NoChild> {
        let mut children = self.children.lock();
        let is_wanted = |child: &Arc<Process>| wanted == Wanted::Any || wanted == Wanted::Only(child.id().0);
        if !children.iter().any(is_wanted) {
            return Err(NoChild);
        }
        let place = children
            .iter()
            .position(|child| is_wanted(child) && child.ended().is_some());
        Ok(place.map(|place| children.swap_remove(place)))
    }
}

/// There is no such child.
#[derive(Debug)]
pub(super) struct NoChild;
