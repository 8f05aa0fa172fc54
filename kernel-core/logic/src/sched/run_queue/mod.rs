//! Who runs on one CPU, and until when.
//!
//! A run queue is passive: it is told what happens (a thread was made or woken, the running one blocks or yields, an
//! alarm went off) and the time, and answers with whom to run and when to ask again. So it needs neither clock nor CPU,
//! and a test can put it through hours of scheduling in a moment.
//!
//! Nothing is done here on a switch that could have been done at another time. The floor of the fair class is only
//! computed when somebody arrives or leaves, or an alarm goes off; the length of a slice only when it is asked for; whether
//! the real-time class plays a part only when that may have changed. What is left of a switch between two threads that
//! both stay runnable, [`take_turns`](RunQueue::take_turns), is one multiplication and one comparison of clocks.

mod members;
mod steal;

use crate::sched::embed::{Embeds, Handle};
use crate::sched::entity::{Class, SchedEntity};
use crate::sched::fair::{self, FairQueue};
use crate::sched::realtime::RealtimeQueue;
use arch::percpu::CpuId;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;
pub use members::Fit;
pub use steal::steal_order;

/// Whether the running thread may go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Decision {
    /// The running thread goes on.
    Continue,
    /// [`RunQueue::reschedule`] is due as soon as preemption is possible.
    Reschedule,
}

/// Two threads of which one takes the other's turn.
#[derive(Debug)]
pub struct Turn<T> {
    /// The one that ran, and now waits.
    pub from: NonNull<T>,
    /// The one that runs now.
    pub to: NonNull<T>,
}

/// The runnable threads of one CPU: one that runs, and those that wait.
///
/// It lives under a lock, whose holder has interrupts masked. All times are in nanoseconds on one clock, the same for
/// all CPUs.
///
/// The functions marked unsafe take threads by pointer. Of such a thread the queue expects, from
/// [`insert`](Self::insert) until it has handed the thread out again by [`leave`](Self::leave),
/// [`remove`](Self::remove), [`steal`](Self::steal) or [`Fit::TakenOut`], that it stays alive and in its place.
pub struct RunQueue<T> {
    cpu: CpuId,
    running: Option<Handle<SchedEntity>>,
    waiting: u32,
    /// Up to when the running thread was charged.
    charged_until: u64,
    slice_start: u64,
    /// Whether only clocks matter: the running thread is fair, others of its kind wait, and no real-time thread does.
    only_clocks: bool,
    fair: FairQueue,
    realtime: RealtimeQueue,
    threads: PhantomData<NonNull<T>>,
}

// SAFETY: the threads behind the handles may be reached from any CPU, if `T` may; the queue has no tie to a CPU but its
// number.
unsafe impl<T: Sync> Send for RunQueue<T> {}

impl<T> fmt::Debug for RunQueue<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "RunQueue(CPU {}, running {:?}, {} waiting)",
            self.cpu.0, self.running, self.waiting
        )
    }
}

impl<T: Embeds<SchedEntity>> RunQueue<T> {
    /// The queue of `cpu`, which is idle.
    pub const fn new(cpu: CpuId) -> Self {
        Self {
            cpu,
            running: None,
            waiting: 0,
            charged_until: 0,
            slice_start: 0,
            only_clocks: false,
            fair: FairQueue::new(),
            realtime: RealtimeQueue::new(),
            threads: PhantomData,
        }
    }

    /// The thread that runs; `None` while the CPU is idle.
    #[inline]
    pub fn running(&self) -> Option<NonNull<T>> {
        self.running.map(thread)
    }

    /// How many threads wait, the running one not counted.
    #[inline]
    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Chooses anew who runs: the running thread, which stays runnable, or another. `None` if there is nobody.
    ///
    /// Called when a [`Decision`] said so, and by the idle loop. The thread returned runs from `now` on.
    #[inline]
    pub fn reschedule(&mut self, now: u64) -> Option<NonNull<T>> {
        self.charge(now);
        self.slice_start = now;
        let next = match self.running {
            Some(running) if self.only_clocks => Some(self.reschedule_fairly(running)),
            _ => self.reschedule_strictly(),
        };
        next.map(thread)
    }

    /// The running thread lets others go first: all real-time threads of its priority, or the fair one that is most
    /// behind. Returns who runs now, which is itself if nobody else wants to.
    #[inline]
    pub fn yield_now(&mut self, now: u64) -> Option<NonNull<T>> {
        self.charge(now);
        self.slice_start = now;
        let next = match self.running {
            Some(running) if self.only_clocks => Some(self.yield_fairly(running)),
            _ => self.yield_strictly(),
        };
        next.map(thread)
    }

    /// [`yield_now`](Self::yield_now) in the common case, in which only clocks matter: the running thread is fair, a few others of
    /// its kind wait, and no real-time thread does. In any other case it does nothing and returns `None`.
    ///
    /// [`preempt_at`](Self::preempt_at) is not earlier than before, so that an alarm that was early enough still is.
    #[inline(always)]
    pub fn take_turns(&mut self, now: u64) -> Option<Turn<T>> {
        if !self.only_clocks {
            return None;
        }
        // SAFETY: only clocks matter, which is not said unless somebody runs and somebody waits.
        let (running, first) = unsafe { (self.running.unwrap_unchecked(), self.fair.first().unwrap_unchecked()) };
        let easy = self.fair.easy(first)?;
        debug_assert!(now >= self.charged_until, "time went back");
        let clock = running.charge(now.wrapping_sub(self.charged_until));
        running.node.key.set(fair::behind(clock, &easy.first));
        self.charged_until = now;
        self.slice_start = now;
        self.fair.exchange(easy, running.part());
        let next = SchedEntity::of(easy.first);
        self.running = Some(next);
        Some(Turn {
            from: thread(running),
            to: thread(next),
        })
    }

    /// The running thread leaves: it blocks, ends, or moves to another CPU. Returns who runs now; `None` if nobody.
    #[inline]
    pub fn leave(&mut self, now: u64) -> Option<NonNull<T>> {
        self.charge(now);
        if let Some(running) = self.running {
            self.fair.farewell(&running, Some(&running));
        }
        self.slice_start = now;
        let next = self.take_first();
        self.note_what_matters();
        next.map(thread)
    }

    /// What an alarm is to do: charges the running thread and says whether its time is up.
    ///
    /// An alarm that comes early does no harm, so one that is set need not be moved when it turns out to be needed
    /// later.
    #[inline(never)]
    pub fn tick(&mut self, now: u64) -> Decision {
        self.charge(now);
        self.fair.raise_floor(self.running.as_deref());
        match self.running {
            Some(running) if !(self.slice_is_over(now) || self.realtime_above(running)) => Decision::Continue,
            None if self.waiting == 0 => Decision::Continue,
            _ => Decision::Reschedule,
        }
    }

    /// When [`tick`](Self::tick) must be called at the latest. `None`: never, as nobody waits whose turn could come by
    /// mere passing of time; the CPU needs no alarm.
    pub fn preempt_at(&self) -> Option<u64> {
        self.running.filter(|running| running.is_fair())?;
        self.fair.first()?;
        Some(self.slice_start.saturating_add(fair::slice(self.waiting)))
    }

    /// Charges the running thread for the time since it was last charged.
    #[inline(always)]
    fn charge(&mut self, now: u64) {
        if let Some(running) = self.running {
            let clock = running.charge(now.saturating_sub(self.charged_until));
            running.node.key.set(clock);
        }
        self.charged_until = now;
    }

    fn slice_is_over(&self, now: u64) -> bool {
        self.preempt_at().is_some_and(|end| now >= end)
    }

    #[inline]
    fn realtime_above(&self, running: Handle<SchedEntity>) -> bool {
        match running.class() {
            Class::Realtime(priority) => self.realtime.has_above(priority),
            Class::Fair(_) => !self.realtime.is_empty(),
        }
    }

    #[inline]
    fn must_give_way(&self, running: Handle<SchedEntity>) -> bool {
        let fairly = || {
            self.fair
                .first()
                .is_some_and(|first| !fair::is_behind(&running, &first))
        };
        self.realtime_above(running) || (running.is_fair() && fairly())
    }

    /// Finds out whether only clocks matter. Called whenever that may have changed.
    #[inline]
    fn note_what_matters(&mut self) {
        let fair = self.running.is_some_and(|running| running.is_fair());
        self.only_clocks = fair && self.realtime.is_empty() && self.fair.first().is_some();
    }

    #[inline]
    fn reschedule_fairly(&mut self, running: Handle<SchedEntity>) -> Handle<SchedEntity> {
        match self.fair.first() {
            Some(first) if !fair::is_behind(&running, &first) => self.exchange(running),
            _ => running,
        }
    }

    #[inline]
    fn yield_fairly(&mut self, running: Handle<SchedEntity>) -> Handle<SchedEntity> {
        match self.fair.first() {
            Some(first) => {
                let clock = &running.node.key;
                clock.set(fair::behind(clock.get(), &first));
                self.exchange(running)
            }
            None => running,
        }
    }

    /// Makes the first who waits the running thread, and `running` wait in its stead.
    fn exchange(&mut self, running: Handle<SchedEntity>) -> Handle<SchedEntity> {
        let next = self.take_first();
        self.enqueue(running);
        next.unwrap_or(running)
    }

    /// [`reschedule`](Self::reschedule) when not only clocks matter.
    #[inline(never)]
    fn reschedule_strictly(&mut self) -> Option<Handle<SchedEntity>> {
        let next = match self.running {
            Some(running) if !self.realtime_above(running) => Some(running),
            Some(running) => {
                let next = self.take_first();
                self.put_back(running);
                next
            }
            None => self.take_first(),
        };
        self.note_what_matters();
        next
    }

    /// [`yield_now`](Self::yield_now) when not only clocks matter.
    #[inline(never)]
    fn yield_strictly(&mut self) -> Option<Handle<SchedEntity>> {
        let next = match self.running {
            Some(running) if !self.realtime_above_or_at(running) => Some(running),
            Some(running) => {
                let next = self.take_first();
                self.enqueue(running);
                next
            }
            None => self.take_first(),
        };
        self.note_what_matters();
        next
    }

    fn realtime_above_or_at(&self, running: Handle<SchedEntity>) -> bool {
        let at = matches!(running.class(), Class::Realtime(priority) if self.realtime.has(priority));
        at || self.realtime_above(running)
    }

    /// Makes the first of those who wait the running thread.
    #[inline]
    fn take_first(&mut self) -> Option<Handle<SchedEntity>> {
        let node = if self.realtime.is_empty() {
            self.fair.pop()
        } else {
            self.realtime.pop()
        };
        self.waiting -= u32::from(node.is_some());
        self.running = node.map(SchedEntity::of);
        self.running
    }

    /// Queues a thread behind its equals.
    #[inline]
    fn enqueue(&mut self, entity: Handle<SchedEntity>) {
        self.waiting += 1;
        match entity.class() {
            Class::Fair(_) => self.fair.put_back(entity.part()),
            Class::Realtime(priority) => self.realtime.push_back(priority, entity.part()),
        }
    }

    /// Queues a thread that was interrupted: before its equals, if it has a right to go on.
    #[inline]
    fn put_back(&mut self, entity: Handle<SchedEntity>) {
        match entity.class() {
            Class::Fair(_) => self.enqueue(entity),
            Class::Realtime(priority) => {
                self.waiting += 1;
                self.realtime.push_front(priority, entity.part());
            }
        }
    }
}

/// The thread of an entity.
#[inline(always)]
fn thread<T: Embeds<SchedEntity>>(entity: Handle<SchedEntity>) -> NonNull<T> {
    // SAFETY: all entities in a `RunQueue<T>` came in as parts of a `T`.
    unsafe { entity.whole::<T>().pointer() }
}
