//! Threads that come to a run queue, leave it, or change while they are on it.

use super::{Decision, RunQueue, thread};
use crate::sched::embed::{Embeds, Handle};
use crate::sched::entity::{Class, SchedEntity};
use crate::sched::fair;
use arch::percpu::{CpuId, CpuSet};
use core::ptr::NonNull;

/// Where a thread stands after its affinity was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Fit {
    /// It may be where it is.
    Here,
    /// It may no longer wait here, and was taken out: insert it elsewhere.
    TakenOut,
    /// It runs here and may not: it must [`leave`](RunQueue::leave), and then be inserted elsewhere.
    MustLeave,
}

impl<T: Embeds<SchedEntity>> RunQueue<T> {
    /// Adds a thread that is new, was woken, or comes from another CPU.
    ///
    /// # Panics
    /// If the thread may not run on this CPU, or already waits.
    ///
    /// # Safety
    /// The thread is on no run queue, and keeps to what [the queue](Self) expects.
    pub unsafe fn insert(&mut self, thread: NonNull<T>, now: u64) -> Decision {
        // SAFETY: the caller's promise.
        let entity = unsafe { entity(thread) };
        assert!(
            entity.affinity.get().contains(self.cpu),
            "a thread was put on a CPU it may not run on"
        );
        assert!(!entity.node.linked.get(), "a thread was put on a run queue twice");
        self.charge(now);
        self.fair.welcome(&entity, self.cpu, self.running.as_deref());
        self.enqueue(entity);
        self.note_what_matters();
        if self.outranks_running(entity) || self.slice_is_over(now) {
            Decision::Reschedule
        } else {
            Decision::Continue
        }
    }

    /// Takes out a thread that waits here; `false` if it does not wait.
    ///
    /// # Safety
    /// The thread is on this queue or on none.
    pub unsafe fn remove(&mut self, thread: NonNull<T>) -> bool {
        // SAFETY: the caller's promise.
        let entity = unsafe { entity(thread) };
        let waits = entity.node.linked.get();
        if waits {
            self.take_out(entity);
        }
        waits
    }

    /// Takes a waiting thread away for `thief`, another CPU, which is to insert it there. `None` if none may run there.
    ///
    /// A real-time thread if there is one, else the fair one that is most behind if it may: on an idle CPU it runs at
    /// once.
    pub fn steal(&mut self, thief: CpuId) -> Option<NonNull<T>> {
        let may_go = |node| SchedEntity::of(node).affinity.get().contains(thief);
        let found = self.realtime.find(may_go).or_else(|| self.fair.find(may_go))?;
        let entity = SchedEntity::of(found);
        self.take_out(entity);
        Some(thread(entity))
    }

    /// Gives a thread another class, or another weight or priority, wherever it stands.
    ///
    /// # Safety
    /// The thread is on this queue or on none, and keeps to what [the queue](Self) expects.
    pub unsafe fn set_class(&mut self, thread: NonNull<T>, class: Class, now: u64) -> Decision {
        // SAFETY: the caller's promise.
        let entity = unsafe { entity(thread) };
        self.charge(now);
        if entity.node.linked.get() {
            self.take_out(entity);
            entity.set_class(class);
            // SAFETY: it was taken out, and the caller promised the rest.
            return unsafe { self.insert(thread, now) };
        }
        let before = entity.set_class(class);
        if self.running != Some(entity) {
            return Decision::Continue;
        }
        self.note_what_matters();
        if matches!(before, Class::Realtime(_)) {
            self.fair.welcome(&entity, self.cpu, None);
        }
        if self.must_give_way(entity) {
            Decision::Reschedule
        } else {
            Decision::Continue
        }
    }

    /// Says on which CPUs a thread may run from now on; there must be one.
    ///
    /// # Safety
    /// The thread is on this queue or on none.
    pub unsafe fn set_affinity(&mut self, thread: NonNull<T>, affinity: CpuSet) -> Fit {
        // SAFETY: the caller's promise.
        let entity = unsafe { entity(thread) };
        entity.affinity.set(affinity);
        if affinity.contains(self.cpu) {
            return Fit::Here;
        }
        if self.running == Some(entity) {
            return Fit::MustLeave;
        }
        // SAFETY: the caller's promise.
        if unsafe { self.remove(thread) } {
            Fit::TakenOut
        } else {
            Fit::Here
        }
    }

    /// Whether `entity`, which was just inserted, is to run before the running thread at once.
    fn outranks_running(&self, entity: Handle<SchedEntity>) -> bool {
        let Some(running) = self.running else {
            return true;
        };
        match (entity.class(), running.class()) {
            (Class::Realtime(new), Class::Realtime(old)) => new > old,
            (Class::Realtime(_), Class::Fair(_)) => true,
            (Class::Fair(_), Class::Realtime(_)) => false,
            (Class::Fair(_), Class::Fair(_)) => fair::yields_to_woken(&running, &entity),
        }
    }

    /// Takes out a thread that waits here.
    fn take_out(&mut self, entity: Handle<SchedEntity>) {
        self.fair.farewell(&entity, self.running.as_deref());
        self.waiting -= 1;
        match entity.class() {
            Class::Fair(_) => self.fair.remove(entity.part()),
            Class::Realtime(priority) => self.realtime.remove(priority, entity.part()),
        }
        self.note_what_matters();
    }
}

/// The entity of a thread.
///
/// # Safety
/// The thread keeps to what [`RunQueue`] expects.
#[inline(always)]
unsafe fn entity<T: Embeds<SchedEntity>>(thread: NonNull<T>) -> Handle<SchedEntity> {
    // SAFETY: the caller's promise.
    unsafe { Handle::<T>::new(thread).part() }
}
