//! Requests from CPU to CPU, without a lock.
//!
//! A lock would be held by a CPU that waits for answers, and taken by those that are to give them. So there is none: only the
//! sender writes its request, only while no answer to the last one is missing, and the two words that many CPUs change are
//! changed bit by bit. Each bit is handed to and fro, and with it, by release and acquire, the right to read the request.

use arch::VirtAddr;
use arch::percpu::{CpuId, CpuSet};
use core::ops::Range;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// A word that CPUs share: the processor's, or in a model check one that tries all orders.
#[expect(missing_docs, reason = "the operations are those of `AtomicU64`")]
pub trait Word {
    fn load(&self, order: Ordering) -> u64;
    fn store(&self, value: u64, order: Ordering);
    fn swap(&self, value: u64, order: Ordering) -> u64;
    fn fetch_or(&self, bits: u64, order: Ordering) -> u64;
    fn fetch_and(&self, bits: u64, order: Ordering) -> u64;
}

/// Implements [`Word`] by a type's own functions.
macro_rules! word {
    ($word:ty) => {
        impl Word for $word {
            #[inline(always)]
            fn load(&self, order: Ordering) -> u64 {
                <$word>::load(self, order)
            }

            #[inline(always)]
            fn store(&self, value: u64, order: Ordering) {
                <$word>::store(self, value, order);
            }

            #[inline(always)]
            fn swap(&self, value: u64, order: Ordering) -> u64 {
                <$word>::swap(self, value, order)
            }

            #[inline(always)]
            fn fetch_or(&self, bits: u64, order: Ordering) -> u64 {
                <$word>::fetch_or(self, bits, order)
            }

            #[inline(always)]
            fn fetch_and(&self, bits: u64, order: Ordering) -> u64 {
                <$word>::fetch_and(self, bits, order)
            }
        }
    };
}

word!(AtomicU64);

/// One CPU's part.
#[repr(align(64))]
#[derive(Debug, Default)]
struct Letterbox<W> {
    /// The CPUs whose requests to this one are unread.
    unread: W,
    /// The CPUs that have not done yet what this one asked.
    unanswered: W,
    /// What it asked: the first address and the end.
    pages: [W; 2],
}

/// The requests of up to `CPUS` CPUs.
#[derive(Debug)]
pub struct Mail<const CPUS: usize, W = AtomicU64> {
    boxes: [Letterbox<W>; CPUS],
    /// The CPUs that have stopped for good, and that nobody waits for.
    gone: W,
}

impl<const CPUS: usize> Mail<CPUS> {
    /// No requests.
    pub const fn new() -> Self {
        Self {
            boxes: [const {
                Letterbox {
                    unread: AtomicU64::new(0),
                    unanswered: AtomicU64::new(0),
                    pages: [const { AtomicU64::new(0) }; 2],
                }
            }; CPUS],
            gone: AtomicU64::new(0),
        }
    }
}

impl<const CPUS: usize, W: Word> Mail<CPUS, W> {
    /// Leaves the request of `from` to drop `pages` with each CPU of `to`; returns those that must be told to look. The rest have
    /// been told by somebody else, and have not looked yet.
    ///
    /// Called by `from`, with its last request answered; what it wrote before is seen by whoever answers.
    pub fn post(&self, from: CpuId, to: CpuSet, pages: Range<VirtAddr>) -> CpuSet {
        let sender = self.of(from);
        sender.pages[0].store(pages.start.as_u64(), Relaxed);
        sender.pages[1].store(pages.end.as_u64(), Relaxed);
        sender.unanswered.store(to.bits(), Relaxed);
        let bit = CpuSet::only(from).bits();
        let untold = |cpu: &CpuId| self.of(*cpu).unread.fetch_or(bit, AcqRel) == 0;
        to.iter()
            .filter(untold)
            .fold(CpuSet::EMPTY, |told, cpu| told | CpuSet::only(cpu))
    }

    /// Has `flush` do what was asked of `me`, by all who asked.
    pub fn answer(&self, me: CpuId, flush: impl Fn(Range<VirtAddr>)) {
        let unread = &self.of(me).unread;
        if unread.load(Relaxed) == 0 {
            return;
        }
        let bit = CpuSet::only(me).bits();
        for from in CpuSet::from_bits(unread.swap(0, AcqRel)).iter() {
            let sender = self.of(from);
            let [start, end] = sender.pages.each_ref().map(|page| page.load(Relaxed));
            flush(VirtAddr::new_truncate(start)..VirtAddr::new_truncate(end));
            sender.unanswered.fetch_and(!bit, Release);
        }
    }

    /// Whether all have done what `me` asked last, but for those that have stopped for good.
    pub fn is_answered(&self, me: CpuId) -> bool {
        let unanswered = self.of(me).unanswered.load(Acquire);
        unanswered == 0 || unanswered & !self.gone.load(Acquire) == 0
    }

    /// Called by `me`, which is never going to use another translation than those of the instruction it stops at.
    pub fn leave(&self, me: CpuId) {
        self.gone.fetch_or(CpuSet::only(me).bits(), Release);
    }

    fn of(&self, cpu: CpuId) -> &Letterbox<W> {
        &self.boxes[cpu.0 as usize]
    }
}

impl<const CPUS: usize, W: Default> Default for Mail<CPUS, W> {
    fn default() -> Self {
        Self {
            boxes: core::array::from_fn(|_| Letterbox::default()),
            gone: W::default(),
        }
    }
}

#[cfg(test)]
mod tests;
