//! How often a batch went below the kernel, by kind, in an image that counts that ([`arch::calls`]). In others there is no kind, and all of
//! this is nothing.

use crate::platform::Platform;
use alloc::vec::Vec;
use arch::calls::{COUNTED, COUNTERS};
use arch::{Mark, Subarch};
use core::array::from_fn;

/// A count for each kind, in the order of [`Subarch::counted_calls`].
#[derive(Clone, Copy)]
pub struct Calls([u32; COUNTERS]);

impl Default for Calls {
    fn default() -> Self {
        Self([0; COUNTERS])
    }
}

impl Calls {
    /// The counters of this CPU as they are now, where what counts begins.
    #[inline(always)]
    pub fn begin() -> Self {
        let now = Self::now();
        Platform::mark(Mark::Begin);
        now
    }

    /// What was counted since they were `before`, where it ends.
    #[inline(always)]
    pub fn end(before: &Self) -> Self {
        Platform::mark(Mark::End);
        Self::now().since(before)
    }

    #[inline(always)]
    fn now() -> Self {
        let mut counters = Platform::counted_calls();
        Self(from_fn(|_| counters.next().map_or(0, |(_, count)| count)))
    }

    #[inline(always)]
    fn since(&self, before: &Self) -> Self {
        Self(from_fn(|kind| self.0[kind].wrapping_sub(before.0[kind])))
    }

    /// These and `other` together.
    pub fn and(&self, other: &Self) -> Self {
        Self(from_fn(|kind| self.0[kind] + other.0[kind]))
    }

    /// These without those of `other` that are among them.
    pub fn without(&self, other: &Self) -> Self {
        Self(from_fn(|kind| self.0[kind].saturating_sub(other.0[kind])))
    }

    /// Of each kind the count of the batch in the middle: a timer that goes off in one of many is nothing that the operation does.
    pub fn middle(batches: &[Self]) -> Self {
        Self(from_fn(|kind| {
            let mut counts: Vec<u32> = batches.iter().map(|batch| batch.0[kind]).collect();
            counts.sort_unstable();
            counts.get(counts.len() / 2).copied().unwrap_or(0)
        }))
    }

    /// Prints the lines `calls NAME KIND=COUNT …` for `operations` of them, for one, to hundredths, and `marked NAME OPERATIONS`, in an image
    /// that counts.
    pub fn print(&self, name: &str, operations: u64) {
        if !COUNTED {
            return;
        }
        print!("calls {name}");
        for ((kind, _), count) in Platform::counted_calls().zip(self.0) {
            let hundredths = (u64::from(count) * 100 + operations / 2) / operations;
            if hundredths > 0 {
                print!(" {kind}={}.{:02}", hundredths / 100, hundredths % 100);
            }
        }
        println!();
        Platform::mark(Mark::Operation);
        println!("marked {name} {operations}");
    }
}
