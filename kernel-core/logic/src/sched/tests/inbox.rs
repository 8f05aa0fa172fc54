//! The lock-free parts: by example, and in a model of all that can happen.

use crate::sched::{Inbox, InboxLink, Notice, WakeClaim};
use core::ptr::NonNull;

struct Letter {
    content: usize,
    link: InboxLink,
}

crate::embeds!(Letter { link: InboxLink });

impl Letter {
    fn new(content: usize) -> Self {
        Self {
            content,
            link: InboxLink::new(),
        }
    }
}

fn push(inbox: &Inbox<Letter>, letter: &Letter) -> Notice {
    // SAFETY: the tests push each letter once between drains, and keep it to the end.
    unsafe { inbox.push(NonNull::from(letter)) }
}

fn drain(inbox: &Inbox<Letter>) -> Vec<usize> {
    // SAFETY: as above.
    inbox.drain().map(|letter| unsafe { letter.as_ref().content }).collect()
}

#[cfg(not(loom))]
mod by_example {
    use super::*;

    #[test]
    fn letters_come_out_in_order_and_only_the_first_rings() {
        let letters = [0, 1, 2].map(Letter::new);
        let inbox = Inbox::new();
        assert_eq!(drain(&inbox), []);
        for _ in 0..2 {
            let notices = [0, 1, 2].map(|index| push(&inbox, &letters[index]));
            assert_eq!(notices, [Notice::Needed, Notice::OnItsWay, Notice::OnItsWay]);
            assert!(!inbox.is_empty());
            assert_eq!(drain(&inbox), [0, 1, 2]);
            assert!(inbox.is_empty());
        }
    }

    #[test]
    fn a_claim_is_granted_once_for_each_wait() {
        let claim = WakeClaim::new();
        assert!(!claim.claim());
        for _ in 0..2 {
            claim.arm();
            assert_eq!([claim.claim(), claim.claim()], [true, false]);
        }
    }
}

#[cfg(loom)]
mod loom {
    use super::*;
    use ::loom::cell::UnsafeCell;
    use ::loom::sync::Arc;
    use ::loom::sync::atomic::{AtomicBool, Ordering};
    use ::loom::thread;

    /// An inbox with letters that two pushers share, and the owner's door bell.
    struct Office {
        inbox: Inbox<Letter>,
        letters: [Letter; 3],
        bell: AtomicBool,
    }

    impl Office {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                inbox: Inbox::new(),
                letters: [0, 1, 2].map(Letter::new),
                bell: AtomicBool::new(false),
            })
        }

        fn post(&self, letter: usize) {
            if push(&self.inbox, &self.letters[letter]) == Notice::Needed {
                self.bell.swap(true, Ordering::AcqRel);
            }
        }
    }

    #[test]
    fn loom_no_letter_is_lost_or_comes_twice() {
        ::loom::model(|| {
            let office = Office::new();
            let (first, second) = (office.clone(), office.clone());
            let first = thread::spawn(move || (first.post(0), first.post(1)));
            let second = thread::spawn(move || second.post(2));
            let mut read = drain(&office.inbox);
            first.join().unwrap();
            second.join().unwrap();
            read.extend(drain(&office.inbox));
            let order: Vec<_> = read.iter().copied().filter(|content| *content < 2).collect();
            assert_eq!(order, [0, 1], "one pusher's letters keep their order");
            read.sort_unstable();
            assert_eq!(read, [0, 1, 2]);
        });
    }

    #[test]
    fn loom_whoever_finds_it_empty_rings() {
        ::loom::model(|| {
            let office = Office::new();
            let other = office.clone();
            let other = thread::spawn(move || other.post(0));
            office.post(1);
            other.join().unwrap();
            assert!(office.bell.swap(false, Ordering::Acquire));
            assert_eq!(drain(&office.inbox).len(), 2);
        });
    }

    #[test]
    fn loom_a_letter_in_the_box_was_or_will_be_announced() {
        ::loom::model(|| {
            let office = Office::new();
            let other = office.clone();
            let poster = thread::spawn(move || (other.post(0), other.post(1)));
            let answer = || {
                if office.bell.swap(false, Ordering::Acquire) {
                    drain(&office.inbox).len()
                } else {
                    0
                }
            };
            let read = answer() + answer();
            poster.join().unwrap();
            assert_eq!(read + answer(), 2);
        });
    }

    #[test]
    fn loom_a_thread_may_travel_again_once_it_is_out() {
        ::loom::model(|| {
            let office = Office::new();
            let other = office.clone();
            let poster = thread::spawn(move || other.post(0));
            let mut read = Vec::new();
            while read.is_empty() {
                thread::yield_now();
                read = drain(&office.inbox);
            }
            office.post(0);
            office.post(1);
            assert_eq!(drain(&office.inbox), [0, 1]);
            poster.join().unwrap();
        });
    }

    #[test]
    fn loom_one_of_two_wakers_wakes_and_sees_the_thread_asleep() {
        ::loom::model(|| {
            let shared = Arc::new((WakeClaim::new(), UnsafeCell::new(0)));
            // SAFETY: nobody else is there yet.
            shared.1.with_mut(|note| unsafe { *note = 7 });
            shared.0.arm();
            let wakers: Vec<_> = (0..2)
                .map(|_| {
                    let shared = shared.clone();
                    thread::spawn(move || {
                        let mine = shared.0.claim();
                        if mine {
                            // SAFETY: the claim makes this waker the only one; loom checks it.
                            shared.1.with_mut(|note| unsafe { *note += 1 });
                        }
                        mine
                    })
                })
                .collect();
            let woken = wakers.into_iter().map(|waker| waker.join().unwrap());
            assert_eq!(woken.filter(|mine| *mine).count(), 1);
            // SAFETY: the wakers are done.
            assert_eq!(shared.1.with(|note| unsafe { *note }), 8);
        });
    }

    #[test]
    fn loom_wake_and_time_out_travel_once() {
        ::loom::model(|| {
            let shared = Arc::new((Office::new(), WakeClaim::new()));
            shared.1.arm();
            let waker = |shared: Arc<(Arc<Office>, WakeClaim)>| move || shared.1.claim().then(|| shared.0.post(0));
            let event = thread::spawn(waker(shared.clone()));
            let time_out = thread::spawn(waker(shared.clone()));
            let mut read = drain(&shared.0.inbox);
            event.join().unwrap();
            time_out.join().unwrap();
            read.extend(drain(&shared.0.inbox));
            assert_eq!(read, [0]);
        });
    }
}
