//! What is told of an operation.

use super::{Calls, Sample};
use alloc::vec::Vec;
use core::fmt;

/// Batches; odd, so that one of them is in the middle.
const BATCHES: usize = 17;

/// What one operation costs, in ticks of the cycle counter, and how often it went below the kernel.
pub struct Figures {
    min: u64,
    median: u64,
    max: u64,
    operations: u64,
    /// In the middle batch of each kind.
    calls: Calls,
    /// How many bytes the operation's instructions have, where they stand so in one piece that this can be told.
    pub bytes: Option<Bytes>,
}

/// The bytes of an operation's instructions, in the middle of as many copies: the registers of one may need a prefix that another's do not.
#[derive(Clone, Copy)]
pub struct Bytes {
    /// What all copies have together.
    together: u32,
    /// How many copies there are.
    copies: u32,
}

impl fmt::Display for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { together, copies } = self;
        write!(out, "{}.{:03}", together / copies, together % copies * 1000 / copies)
    }
}

impl Figures {
    /// Those of batches of `operations`, of which what an `empty` one took is no part. The first batch does not count.
    ///
    /// There is one of this in the image, and not one for each benchmark: what is measured, is measured within a batch.
    #[inline(never)]
    pub(super) fn of(operations: u64, empty: Sample, batch: &mut dyn FnMut() -> Sample) -> Self {
        batch();
        let mut costs = [0; BATCHES];
        let mut calls = Vec::with_capacity(BATCHES);
        for cost in &mut costs {
            let sample = batch();
            *cost = sample.cycles.saturating_sub(empty.cycles);
            calls.push(sample.calls.without(&empty.calls));
        }
        costs.sort_unstable();
        let each = |cost: u64| (cost + operations / 2) / operations;
        Self {
            min: each(costs[0]),
            median: each(costs[BATCHES / 2]),
            max: each(costs[BATCHES - 1]),
            operations,
            calls: Calls::middle(&calls),
            bytes: None,
        }
    }

    /// These, with the bytes of the operation's instructions, where those of so many copies were counted `together`.
    pub(super) fn with_bytes(mut self, together: u32, copies: u32) -> Self {
        self.bytes = Some(Bytes { together, copies });
        self
    }

    /// Prints the line `bench NAME MIN MEDIAN MAX`, and in an image that counts the line of [`Calls::print`].
    pub fn print(&self, name: &str) {
        println!("bench {name} {self}");
        self.calls.print(name, self.operations);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.min, self.median, self.max)
    }
}
