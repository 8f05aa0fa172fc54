//! The walk down the levels of bits, from the CPU's selector to single events.
//!
//! The bitmaps of events belong to the whole domain, and a selector says only in which words to look. A word may have events of
//! several CPUs: each takes its own and leaves the others', for which Xen told their CPU as well.

use crate::abi::SharedInfo;
use crate::abi::shared_info::WORDS;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

/// Which events one CPU is told of: a bit for each.
pub type Own = [AtomicU64; WORDS];

/// Acknowledges and handles each unmasked event of `own` in the words that `selected` has a bit for.
pub fn take(shared: &SharedInfo, own: &Own, selected: u64, mut handle: impl FnMut(u32)) {
    for word in bits(selected) {
        let index = word as usize;
        let pending = &shared.pending[index];
        let mine = own[index].load(Relaxed) & !shared.mask[index].load(SeqCst);
        for bit in bits(pending.load(SeqCst) & mine) {
            if acknowledge(pending, bit) {
                handle(word * u64::BITS + bit);
            }
        }
    }
}

/// Takes an event back; false if somebody has (a handler that unmasks events can be interrupted by another walk).
fn acknowledge(pending: &AtomicU64, bit: u32) -> bool {
    let bit = 1 << bit;
    pending.fetch_and(!bit, SeqCst) & bit != 0
}

/// The numbers of the bits that are set, ascending.
fn bits(mut word: u64) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        word &= word.checked_sub(1)?;
        Some(bit)
    })
}

const _: () = assert!(WORDS == u64::BITS as usize, "one bit of the selector for each word");

#[cfg(test)]
mod tests {
    use super::*;

    /// Every event is this CPU's.
    static ALL: Own = [const { AtomicU64::new(u64::MAX) }; WORDS];

    fn shared() -> Box<SharedInfo> {
        // SAFETY: the structure is integers and atomics of integers throughout.
        unsafe { Box::new(core::mem::zeroed()) }
    }

    #[test]
    fn bits_come_in_order() {
        assert_eq!(bits(0).count(), 0);
        assert_eq!(bits(1 << 63 | 1 << 5 | 1).collect::<Vec<_>>(), [0, 5, 63]);
    }

    #[test]
    fn only_selected_unmasked_events_are_taken_and_each_once() {
        let shared = shared();
        shared.pending[0].store(0b1110, SeqCst);
        shared.mask[0].store(0b0100, SeqCst);
        shared.pending[2].store(1, SeqCst);
        shared.pending[63].store(1 << 63, SeqCst);
        let mut taken = Vec::new();
        take(&shared, &ALL, 1 | 1 << 63, |port| taken.push(port));
        assert_eq!(taken, [1, 3, 4095]);
        assert_eq!(shared.pending[0].load(SeqCst), 0b0100);
        assert_eq!(shared.pending[2].load(SeqCst), 1);
        take(&shared, &ALL, u64::MAX, |port| taken.push(port));
        assert_eq!(taken, [1, 3, 4095, 128]);
    }

    #[test]
    fn events_of_other_cpus_are_left_to_them() {
        let shared = shared();
        shared.pending[1].store(0b111, SeqCst);
        let own = [const { AtomicU64::new(0) }; WORDS];
        own[1].store(0b010, SeqCst);
        let mut taken = Vec::new();
        take(&shared, &own, 1 << 1, |port| taken.push(port));
        assert_eq!(taken, [65]);
        assert_eq!(shared.pending[1].load(SeqCst), 0b101);
    }

    #[test]
    fn an_event_is_acknowledged_before_it_is_handled() {
        let shared = shared();
        shared.pending[0].store(2, SeqCst);
        take(&shared, &ALL, 1, |_| {
            shared.pending[0].fetch_or(2, SeqCst);
        });
        assert_eq!(shared.pending[0].load(SeqCst), 2);
    }

    #[test]
    fn an_event_that_a_nested_walk_took_is_not_taken_again() {
        let shared = shared();
        shared.pending[0].store(0b110, SeqCst);
        let mut taken = Vec::new();
        take(&shared, &ALL, 1, |port| {
            taken.push(port);
            shared.pending[0].store(0, SeqCst);
        });
        assert_eq!(taken, [1]);
    }
}
