//! The fair class: whoever has had least for its weight runs next.
//!
//! Each thread has a clock of its own that runs while the thread does, the faster the smaller its weight. Running the
//! thread whose clock is most behind keeps all clocks together, and clocks that stay together *are* shares proportional
//! to weights: never more than a slice apart. This is start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996);
//! unlike a scheme with deadlines it needs no second order, so that one heap does.
//!
//! The *floor* is where the clock most behind stands. Who comes back from sleep is brought up to just below it: the
//! time slept is not owed, apart from a small credit by which a thread that mostly waits gets the CPU at once when it
//! wakes. Who slept in debt, because it had run more than its share, still has that debt. Queues of different CPUs have
//! different floors; who moves takes its distance to the floor along.

use super::embed::Handle;
use super::entity::SchedEntity;
use super::heap::{EasyFirst, Heap, Order, Wrapping};
use super::node::Node;
use super::weight::{FRACTION, Weight};
use arch::percpu::CpuId;

/// How long a thread runs at most while another waits, in nanoseconds.
pub const SLICE_MAX: u64 = 4_000_000;

/// How long a thread may run at least before another of the fair class gets its turn, in nanoseconds; only one that
/// wakes may come earlier.
pub const SLICE_MIN: u64 = 1_000_000;

/// Within which time each of several runnable threads should get a turn, in nanoseconds, as far as [`SLICE_MIN`]
/// allows.
pub const ROUND: u64 = 12_000_000;

/// How much a thread gains by sleeping, in nanoseconds of a thread of normal weight.
pub const SLEEPER_CREDIT: u64 = 2_000_000;

/// How far behind the running thread one that wakes must be to take its place, in nanoseconds of a thread of normal
/// weight.
pub const WAKE_LEAD: u64 = 1_000_000;

/// The largest debt that is remembered over a sleep, or on a move: a slice of the lightest thread, twice.
const DEBT_MAX: i64 = Weight::LIGHTEST.virtual_time(2 * SLICE_MAX).cast_signed();
const CREDIT: i64 = (SLEEPER_CREDIT << FRACTION).cast_signed();
const LEAD: i64 = (WAKE_LEAD << FRACTION).cast_signed();

/// The waiting fair threads of one CPU.
#[derive(Debug)]
pub(super) struct FairQueue {
    heap: Heap<Wrapping>,
    floor: u64,
}

impl FairQueue {
    pub const fn new() -> Self {
        Self {
            heap: Heap::new(),
            floor: 0,
        }
    }

    #[inline(always)]
    pub fn first(&self) -> Option<Handle<Node>> {
        self.heap.first()
    }

    /// Takes out the thread most behind, which is to run.
    #[inline]
    pub fn pop(&mut self) -> Option<Handle<Node>> {
        let first = self.heap.pop()?;
        self.raise_floor_to(first.key.get());
        Some(first)
    }

    /// The thread most behind, which is `first`, unless so many wait that it takes long to find the next.
    #[inline(always)]
    pub fn easy(&self, first: Handle<Node>) -> Option<EasyFirst> {
        self.heap.easy(first)
    }

    /// Takes out the first, which is to run, and queues `node`, whose clock is not behind it.
    ///
    /// The floor is left as it is: it is raised before it is next used, and by every alarm, so that it never falls half the way
    /// around behind.
    #[inline(always)]
    pub fn exchange(&mut self, first: EasyFirst, node: Handle<Node>) {
        self.heap.exchange(first, node);
    }

    /// Queues a thread whose clock is this queue's.
    #[inline]
    pub fn put_back(&mut self, node: Handle<Node>) {
        self.heap.insert(node);
    }

    pub fn remove(&mut self, node: Handle<Node>) {
        self.heap.remove(node);
    }

    pub fn find(&self, wanted: impl Fn(Handle<Node>) -> bool) -> Option<Handle<Node>> {
        self.heap.find(wanted)
    }

    /// Sets the clock of a thread that comes to the queue of `cpu` from elsewhere: from sleep, from another CPU, or
    /// new.
    pub fn welcome(&mut self, entity: &SchedEntity, cpu: CpuId, running: Option<&SchedEntity>) {
        self.raise_floor(running);
        let then = match entity.home.replace(Some(cpu)) {
            Some(home) if home == cpu => self.floor,
            _ => entity.left_at.get(),
        };
        let ahead = distance(entity.node.key.get(), then).clamp(-CREDIT, DEBT_MAX);
        entity.node.key.set(self.floor.wrapping_add_signed(ahead));
    }

    /// Notes where the floor was when `entity` left. If it runs, it is `running`.
    pub fn farewell(&mut self, entity: &SchedEntity, running: Option<&SchedEntity>) {
        self.raise_floor(running);
        entity.left_at.set(self.floor);
    }

    /// Brings the floor up to the clock most behind, that of the running thread included.
    pub fn raise_floor(&mut self, running: Option<&SchedEntity>) {
        let waiting = self.heap.first().map(|first| first.key.get());
        let running = running
            .filter(|entity| entity.is_fair())
            .map(|entity| entity.node.key.get());
        match (waiting, running) {
            (Some(waiting), Some(running)) if Wrapping::before(running, waiting) => self.raise_floor_to(running),
            (Some(waiting), _) => self.raise_floor_to(waiting),
            // Set, not raised: alone, a thread's clock may have gone more than half around since the floor was last
            // looked at.
            (None, Some(running)) => self.floor = running,
            (None, None) => {}
        }
    }

    #[inline(always)]
    fn raise_floor_to(&mut self, clock: u64) {
        if Wrapping::before(self.floor, clock) {
            self.floor = clock;
        }
    }
}

/// Whether `running` is so far ahead of `woken` that it must make way at once.
pub(super) fn yields_to_woken(running: &SchedEntity, woken: &SchedEntity) -> bool {
    distance(running.node.key.get(), woken.node.key.get()) > LEAD
}

/// Whether `running` has had less than `waiting`, for its weight.
#[inline(always)]
pub(super) fn is_behind(running: &SchedEntity, waiting: &Node) -> bool {
    Wrapping::before(running.node.key.get(), waiting.key.get())
}

/// What the clock of a thread that lets others go first shall show: no less than `clock`, which it shows, and behind `first`,
/// the first that waits.
#[inline(always)]
pub(super) fn behind(clock: u64, first: &Node) -> u64 {
    let (later, first) = (clock.wrapping_add(1), first.key.get());
    if Wrapping::before(later, first) { first } else { later }
}

/// How long a slice is while `waiting` threads wait.
pub(super) fn slice(waiting: u32) -> u64 {
    (ROUND / (u64::from(waiting) + 1)).clamp(SLICE_MIN, SLICE_MAX)
}

/// How far `a` is ahead of `b`.
fn distance(a: u64, b: u64) -> i64 {
    a.wrapping_sub(b).cast_signed()
}
