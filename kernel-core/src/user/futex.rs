//! Waiting for a word of memory to change: what all locks of programs are made of.
//!
//! The program looks at the word first and comes here only to wait, or to wake those who do. Comparing the word and joining the
//! queue must be one step, or a wake-up between the two is lost: both happen under the lock that wakers take too.
//!
//! Waiters are found by process and address; words that processes share do not exist here, since no memory is shared.

use super::AddressSpace;
use crate::sync::Mutex;
use crate::task::WaitList;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use arch::Instant;
use core::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use kernel_logic::user::errno::Errno;

/// Those of one process who wait, by the addresses of their words.
#[derive(Debug)]
pub(super) struct Futexes {
    waiting: Mutex<BTreeMap<u64, VecDeque<Arc<Waiter>>>>,
}

/// One who waits.
#[derive(Debug)]
struct Waiter {
    woken: AtomicBool,
    sleep: WaitList,
}

impl Futexes {
    pub const fn new() -> Self {
        Self {
            waiting: Mutex::new(BTreeMap::new()),
        }
    }

    /// Waits to be woken at `address`, if the word there is `expected`.
    ///
    /// # Errors
    /// `EAGAIN` if it is another, `EFAULT` if it is none; `ETIMEDOUT` when `deadline` comes first; `EINTR` when `enough` says that it is
    /// no use.
    pub fn wait(
        &self,
        space: &AddressSpace,
        address: u64,
        expected: u32,
        deadline: Option<Instant>,
        enough: impl Fn() -> bool,
    ) -> Result<(), Errno> {
        let me = {
            let mut waiting = self.waiting.lock();
            if space.read_u32(address)? != expected {
                return Err(Errno::EAGAIN);
            }
            let me = Arc::new(Waiter {
                woken: AtomicBool::new(false),
                sleep: WaitList::new(),
            });
            waiting.entry(address).or_default().push_back(me.clone());
            me
        };
        me.sleep.wait_until(|| me.woken.load(Acquire) || enough(), deadline);
        if self.give_up(address, &me) {
            return Err(if enough() { Errno::EINTR } else { Errno::ETIMEDOUT });
        }
        Ok(())
    }

    /// Wakes up to `limit` of those who wait at `address`, the first first. Returns how many there were.
    pub fn wake(&self, address: u64, limit: usize) -> usize {
        let mut waiting = self.waiting.lock();
        let Some(queue) = waiting.get_mut(&address) else {
            return 0;
        };
        let count = queue.len().min(limit);
        for waiter in queue.drain(..count) {
            waiter.woken.store(true, Release);
            waiter.sleep.wake_all();
        }
        if queue.is_empty() {
            waiting.remove(&address);
        }
        count
    }

    /// Leaves the queue; false if it was too late, because somebody has woken `me`.
    fn give_up(&self, address: u64, me: &Arc<Waiter>) -> bool {
        let mut waiting = self.waiting.lock();
        let Some(queue) = waiting.get_mut(&address) else {
            return false;
        };
        let before = queue.len();
        queue.retain(|other| !Arc::ptr_eq(other, me));
        let found = queue.len() < before;
        if queue.is_empty() {
            waiting.remove(&address);
        }
        found
    }
}
