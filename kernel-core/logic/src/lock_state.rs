//! The state of a lock that sleeps: free, taken, or taken and waited for.
//!
//! Most of the time nobody waits for a lock, and then neither taking it nor letting it go should cost more than the one atomic
//! instruction that no lock can do without. What makes letting go expensive is the question whether somebody is to be woken, which
//! is answered in a list with a lock of its own. So the answer is put where the letting go looks anyway: who is about to sleep
//! leaves a mark in the lock's own word.
//!
//! # Why nobody sleeps for ever
//! A waiter [marks the lock](LockState::take_or_mark) and enters the list *in one critical section* of the list's lock; it sleeps
//! only if the mark was put on a lock that was taken. The owner, letting go, either sees the mark, and then comes to the list when
//! the waiter is in it, or let go before the mark was set, and then the waiter found the lock free and has it. The word is changed
//! by exchanges only, so there is a single order of all of them to argue with.
//!
//! Whoever takes the lock by `take_or_mark` leaves the mark set though perhaps nobody else waits: it cannot know, and a mark too many
//! costs one look into an empty list, a mark too few a thread that never wakes.
//!
//! # Ordering
//! What one owner did must be seen by the next. So letting go is a *release* of the word, and taking it, on either way, an *acquire*;
//! an exchange that reads the released value synchronises with it. A mark that is put on between two owners does not break the
//! chain: it replaces `taken`, which no owner acquires from. Nothing else is published through the word.
//!
//! Checked under `loom`: `RUSTFLAGS="--cfg loom" cargo test -p kernel-logic --release loom`.

#[cfg(not(all(loom, test)))]
use core::sync::atomic::{AtomicU8, Ordering};
#[cfg(all(loom, test))]
use loom::sync::atomic::{AtomicU8, Ordering};

const FREE: u8 = 0;
const TAKEN: u8 = 1;
const WAITED_FOR: u8 = 2;

/// What letting go of a lock found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Released {
    /// Nobody waits.
    Unnoticed,
    /// Somebody may wait: one of the waiters is to be woken.
    Awaited,
    /// The lock was free: a bug of the caller's.
    NotTaken,
}

/// The word of a sleeping lock.
#[derive(Debug)]
pub struct LockState {
    word: AtomicU8,
}

impl LockState {
    /// A free lock.
    #[cfg(not(all(loom, test)))]
    pub const fn new() -> Self {
        Self {
            word: AtomicU8::new(FREE),
        }
    }

    /// A free lock, in a model check.
    #[cfg(all(loom, test))]
    pub fn new() -> Self {
        Self {
            word: AtomicU8::new(FREE),
        }
    }

    /// Takes the lock if it is free: one instruction.
    #[inline(always)]
    #[must_use]
    pub fn try_take(&self) -> bool {
        self.word
            .compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes the lock if it is free, or else marks it as waited for. Called under the lock of the list of waiters; on `false` the
    /// caller enters that list before it lets go of it.
    #[inline]
    #[must_use]
    pub fn take_or_mark(&self) -> bool {
        self.word.swap(WAITED_FOR, Ordering::Acquire) == FREE
    }

    /// Lets go of the lock: one instruction.
    #[inline(always)]
    pub fn release(&self) -> Released {
        match self.word.swap(FREE, Ordering::Release) {
            TAKEN => Released::Unnoticed,
            FREE => Released::NotTaken,
            _ => Released::Awaited,
        }
    }
}

impl Default for LockState {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_taken_lock_is_not_taken_again() {
        let lock = LockState::new();
        assert!(lock.try_take());
        assert!(!lock.try_take());
        assert_eq!(lock.release(), Released::Unnoticed);
        assert!(lock.try_take());
    }

    #[test]
    fn a_mark_is_found_by_the_owner_and_once_more_by_who_left_it() {
        let lock = LockState::new();
        assert!(lock.try_take());
        assert!(!lock.take_or_mark());
        assert_eq!(lock.release(), Released::Awaited);
        assert!(lock.take_or_mark());
        assert_eq!(lock.release(), Released::Awaited, "others may wait");
        assert!(lock.try_take());
        assert_eq!(lock.release(), Released::Unnoticed);
    }

    #[test]
    fn letting_go_of_a_free_lock_is_noticed() {
        assert_eq!(LockState::new().release(), Released::NotTaken);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::cell::UnsafeCell;
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread;

    /// A lock around a counter. The list of waiters is one of `loom`'s, whose model finds a waiter that nobody wakes.
    struct Lock {
        state: LockState,
        list: Mutex<()>,
        woken: Condvar,
        count: UnsafeCell<u32>,
    }

    // SAFETY: the counter is only touched by the lock's owner, which is what the model checks.
    unsafe impl Sync for Lock {}

    impl Lock {
        fn add_one(&self) {
            if !self.state.try_take() {
                let mut list = self.list.lock().unwrap();
                while !self.state.take_or_mark() {
                    list = self.woken.wait(list).unwrap();
                }
            }
            // SAFETY: we own the lock.
            self.count.with_mut(|count| unsafe { *count += 1 });
            match self.state.release() {
                Released::Unnoticed => {}
                Released::Awaited => {
                    let _list = self.list.lock().unwrap();
                    self.woken.notify_one();
                }
                Released::NotTaken => panic!("let go of a free lock"),
            }
        }
    }

    fn check(threads: usize, rounds: usize, preemptions: usize) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(preemptions);
        model.check(move || {
            let lock = Arc::new(Lock {
                state: LockState::new(),
                list: Mutex::new(()),
                woken: Condvar::new(),
                count: UnsafeCell::new(0),
            });
            let others: Vec<_> = (1..threads)
                .map(|_| {
                    let lock = lock.clone();
                    thread::spawn(move || (0..rounds).for_each(|_| lock.add_one()))
                })
                .collect();
            (0..rounds).for_each(|_| lock.add_one());
            others.into_iter().for_each(|other| other.join().unwrap());
            lock.count.with(|count| {
                // SAFETY: all others have ended.
                assert_eq!(unsafe { *count }, (threads * rounds) as u32);
            });
        });
    }

    #[test]
    fn loom_two_threads_share_and_both_wake() {
        check(2, 2, 4);
    }

    #[test]
    fn loom_three_threads_share_and_all_wake() {
        check(3, 1, 3);
    }
}
