//! Producers and consumers on all CPUs, and a shelf between them that is too small.
//!
//! Every kind of lock guards the shelf once. Afterwards each piece must have been consumed exactly once, and no consumer
//! may have seen two pieces of one producer in the wrong order: what a lock that leaks shows first.

use super::super::threads::spawn_on;
use super::super::{Outcome, Trouble, check, check_eq};
use crate::smp;
use crate::sync::{IrqLock, Mutex, SpinLock};
use crate::task::{self, JoinHandle, WaitList};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// How many pieces each producer makes, and each consumer takes.
const PIECES: u64 = 200;
/// How many fit on the shelf.
const ROOM: usize = 16;

pub(super) fn pass_under_an_irq_lock() -> Outcome {
    let shelf = Arc::new(IrqLock::new(Shelf::empty()));
    let theirs = shelf.clone();
    pass(
        move |piece| retry(|| shelf.lock().put(piece)),
        move || retry(|| theirs.lock().take()),
    )
}

pub(super) fn pass_under_a_spin_lock() -> Outcome {
    let shelf = Arc::new(SpinLock::new(Shelf::empty()));
    let theirs = shelf.clone();
    pass(
        move |piece| retry(|| shelf.lock().put(piece)),
        move || retry(|| theirs.lock().take()),
    )
}

pub(super) fn pass_under_a_mutex() -> Outcome {
    let shelf = Arc::new(Mutex::new(Shelf::empty()));
    let theirs = shelf.clone();
    pass(
        move |piece| retry(|| shelf.lock().put(piece)),
        move || retry(|| theirs.lock().take()),
    )
}

pub(super) fn pass_between_wait_lists() -> Outcome {
    struct Shop {
        shelf: IrqLock<Shelf>,
        changed: [WaitList; 2],
    }
    let shop = Arc::new(Shop {
        shelf: IrqLock::new(Shelf::empty()),
        changed: [WaitList::new(), WaitList::new()],
    });
    let theirs = shop.clone();
    pass(
        move |piece| {
            let [has_room, has_pieces] = &shop.changed;
            has_room.wait_until(|| shop.shelf.lock().put(piece).is_some(), None);
            has_pieces.wake_one();
        },
        move || {
            let [has_room, has_pieces] = &theirs.changed;
            let mut piece = None;
            has_pieces.wait_until(
                || {
                    piece = theirs.shelf.lock().take();
                    piece.is_some()
                },
                None,
            );
            has_room.wake_one();
            piece.unwrap_or(u64::MAX)
        },
    )
}

/// Where pieces lie, first in, first out.
struct Shelf(VecDeque<u64>);

impl Shelf {
    fn empty() -> Self {
        Self(VecDeque::with_capacity(ROOM))
    }

    fn put(&mut self, piece: u64) -> Option<()> {
        (self.0.len() < ROOM).then(|| self.0.push_back(piece))
    }

    fn take(&mut self) -> Option<u64> {
        self.0.pop_front()
    }
}

/// Tries until there is an answer, letting others go first in between.
fn retry<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        task::yield_now();
    }
}

/// What the consumers found.
struct Records {
    /// How often each piece was taken.
    taken: Vec<AtomicU64>,
    disordered: AtomicBool,
}

impl Records {
    /// Takes `PIECES` pieces and notes what they are.
    fn consume(&self, take: impl Fn() -> u64) {
        let producers = self.taken.len() as u64 / PIECES;
        let mut last: Vec<Option<u64>> = (0..producers).map(|_| None).collect();
        for _ in 0..PIECES {
            let piece = take();
            let Some(taken) = self.taken.get(piece as usize) else {
                self.disordered.store(true, Relaxed);
                continue;
            };
            taken.fetch_add(1, Relaxed);
            let before = last[(piece / PIECES) as usize].replace(piece);
            if before >= Some(piece) {
                self.disordered.store(true, Relaxed);
            }
        }
    }
}

/// Runs a producer and a consumer on each CPU.
fn pass(put: impl Fn(u64) + Send + Sync + 'static, take: impl Fn() -> u64 + Send + Sync + 'static) -> Outcome {
    let cpus = smp::online();
    let shop = Arc::new((put, take));
    let records = Arc::new(Records {
        taken: (0..u64::from(cpus.len()) * PIECES).map(|_| AtomicU64::new(0)).collect(),
        disordered: AtomicBool::new(false),
    });
    let mut threads: Vec<Result<JoinHandle, Trouble>> = Vec::new();
    for (number, cpu) in (0u64..).zip(cpus.iter()) {
        let producer = shop.clone();
        threads.push(spawn_on(cpu, move || {
            (number * PIECES..(number + 1) * PIECES).for_each(|piece| producer.0(piece));
        }));
        let (consumer, records) = (shop.clone(), records.clone());
        threads.push(spawn_on(cpu, move || records.consume(|| consumer.1())));
    }
    for thread in threads {
        thread?.join();
    }
    check!(
        !records.disordered.load(Relaxed),
        "a consumer took what nobody made, or in the wrong order"
    );
    let wrong = records.taken.iter().filter(|taken| taken.load(Relaxed) != 1).count();
    check_eq!(wrong, 0);
    Ok(())
}
