//! Processes: an address space, the threads in it, and how it ended.

use super::address_space::AddressSpace;
use super::family::Family;
use super::futex::Futexes;
use super::thread::new_id;
use crate::sync::IrqLock;
use crate::task::{self, Thread, WaitList};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Release, Ordering::SeqCst, fence};
use kernel_logic::user::signal::Signal;
use kernel_logic::user::wait_status::WaitStatus;

/// The number of a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ProcessId(pub u32);

impl fmt::Display for ProcessId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It called `exit_group` or ended its last thread, with this status.
    Exited(u8),
    /// It did what it must not, or was killed.
    Killed(Signal),
}

impl End {
    /// As `wait4` tells it.
    pub fn wait_status(self) -> WaitStatus {
        match self {
            Self::Exited(status) => WaitStatus::exited(status),
            Self::Killed(signal) => WaitStatus::killed(signal),
        }
    }
}

/// A process.
pub struct Process {
    id: ProcessId,
    name: String,
    space: AddressSpace,
    pub(super) futexes: Futexes,
    pub(super) family: Family,
    threads: IrqLock<Vec<Arc<Thread>>>,
    /// How many threads have not ended; the one that makes it zero clears up.
    alive: AtomicU32,
    /// How it shall end, decided once by whoever is first; zero while it shall not.
    ending: AtomicU64,
    /// Set when its memory is gone.
    over: AtomicU32,
    waiting_for_end: WaitList,
}

impl fmt::Debug for Process {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "process {} ({})", self.id, self.name)
    }
}

impl Process {
    /// A process without a thread, child of `parent` if it has one; `None` when no number is left.
    pub(super) fn new(name: String, space: AddressSpace, parent: Option<&Arc<Self>>) -> Option<Arc<Self>> {
        let id = ProcessId(new_id()?);
        Some(Arc::new(Self {
            id,
            name,
            space,
            futexes: Futexes::new(),
            family: Family::new(parent),
            threads: IrqLock::new(Vec::new()),
            alive: AtomicU32::new(0),
            ending: AtomicU64::new(0),
            over: AtomicU32::new(0),
            waiting_for_end: WaitList::new(),
        }))
    }

    /// Its number.
    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// What it was started as.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its memory.
    pub fn space(&self) -> &AddressSpace {
        &self.space
    }

    /// Counts a thread that is about to start as one of its own; false if the process is ending and must have no new one.
    pub(super) fn add_thread(&self, thread: Arc<Thread>) -> bool {
        let mut threads = self.threads.lock();
        if self.is_ending() {
            return false;
        }
        threads.push(thread);
        self.alive.fetch_add(1, SeqCst);
        true
    }

    /// Notes that the current thread ends; true if it was the last.
    pub(super) fn remove_current_thread(&self) -> bool {
        let me = task::current();
        let mine = {
            let mut threads = self.threads.lock();
            let place = threads
                .iter()
                .position(|thread| Arc::as_ptr(thread) == me.as_ptr().cast_const());
            place.map(|place| threads.swap_remove(place))
        };
        drop(mine);
        self.alive.fetch_sub(1, SeqCst) == 1
    }

    /// Whether it shall end: no thread of it goes to user mode any more.
    #[inline]
    pub fn is_ending(&self) -> bool {
        self.ending.load(Acquire) != 0
    }

    /// As [`is_ending`](Self::is_ending), for a thread that has announced its wait and asks a last time before it stops.
    pub(super) fn is_ending_now(&self) -> bool {
        // Either we see the decision here, or whoever decided sees that we wait, and wakes us.
        fence(SeqCst);
        self.is_ending()
    }

    /// Has the process end as `end` says, unless that was decided already: every thread of it ends as soon as it can.
    pub fn end(&self, end: End) {
        let decided = self.ending.compare_exchange(0, encode(end), SeqCst, Acquire);
        if decided.is_err() {
            return;
        }
        fence(SeqCst);
        let threads = self.threads.lock().clone();
        threads.iter().for_each(|thread| task::interrupt(thread));
    }

    /// How it shall end, if that is decided.
    fn decided_end(&self) -> Option<End> {
        decode(self.ending.load(Acquire))
    }

    /// Tells everybody that it is over. Called by its last thread, when its memory is gone.
    pub(super) fn announce_end(&self) {
        self.over.store(1, Release);
        self.waiting_for_end.wake_all();
        self.family.tell_parent();
    }

    /// How it ended; `None` as long as it has not.
    pub fn ended(&self) -> Option<End> {
        if self.over.load(Acquire) == 0 {
            return None;
        }
        self.decided_end()
    }

    /// Waits until it has ended.
    pub fn wait(&self) -> End {
        self.waiting_for_end.wait_until(|| self.ended().is_some(), None);
        self.ended().expect("the wait ends with the process")
    }
}

const DECIDED: u64 = 1 << 16;
const KILLED: u64 = 1 << 17;

fn encode(end: End) -> u64 {
    match end {
        End::Exited(status) => DECIDED | u64::from(status),
        End::Killed(signal) => DECIDED | KILLED | u64::from(signal.number()),
    }
}

fn decode(word: u64) -> Option<End> {
    match word {
        0 => None,
        word if word & KILLED != 0 => Some(End::Killed(Signal::from_number(word as u8))),
        word => Some(End::Exited(word as u8)),
    }
}
