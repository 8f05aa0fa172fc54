//! The walk down the levels of bits, from the CPU's selector to a single event.
//!
//! It takes one event and leaves everything else where it was, in memory that Xen and every other walk of this CPU see. Nothing
//! is held back in a variable: so a handler may unmask events, wait for the next one, or switch to another thread, which may
//! come back on another CPU, and no event waits for its return.
//!
//! The bitmaps of events belong to the whole domain, and a selector says only in which words to look. A word may have events of
//! several CPUs: each takes its own and leaves the others', for which Xen told their CPU as well.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use xen_abi::shared_info::WORDS;
use xen_abi::{SharedInfo, VcpuInfo};

/// Which events one CPU is told of: a bit for each.
pub type Own = [AtomicU64; WORDS];

/// Acknowledges the unmasked event of lowest number that is pending on the CPU of `info`, whose events are `own`.
///
/// `upcall_pending` stays set as long as there may be more.
pub fn take(info: &VcpuInfo, shared: &SharedInfo, own: &Own) -> Option<u32> {
    while info.upcall_pending.swap(0, SeqCst) != 0 {
        let taken = take_selected(info, shared, own);
        if info.pending_selector.load(SeqCst) != 0 {
            info.upcall_pending.store(1, SeqCst);
        }
        if taken.is_some() {
            return taken;
        }
    }
    None
}

/// Looks into one selected word after the other. A word that has more than it takes is selected again.
fn take_selected(info: &VcpuInfo, shared: &SharedInfo, own: &Own) -> Option<u32> {
    while let Some(word) = lowest(info.pending_selector.load(SeqCst)) {
        let index = word as usize;
        info.pending_selector.fetch_and(!(1 << word), SeqCst);
        let unmasked = own[index].load(Relaxed) & !shared.mask[index].load(SeqCst);
        let pending = shared.pending[index].load(SeqCst) & unmasked;
        let Some(bit) = lowest(pending) else { continue };
        if pending != 1 << bit {
            info.pending_selector.fetch_or(1 << word, SeqCst);
        }
        shared.pending[index].fetch_and(!(1 << bit), SeqCst);
        return Some(word * u64::BITS + bit);
    }
    None
}

/// The number of the lowest bit that is set.
fn lowest(word: u64) -> Option<u32> {
    (word != 0).then(|| word.trailing_zeros())
}

const _: () = assert!(WORDS == u64::BITS as usize, "one bit of the selector for each word");

#[cfg(test)]
mod tests {
    use super::*;
    use core::iter::from_fn;
    use proptest::prelude::*;

    /// Every event is this CPU's.
    static ALL: Own = [const { AtomicU64::new(u64::MAX) }; WORDS];

    /// Nothing is pending.
    fn quiet() -> (VcpuInfo, Box<SharedInfo>) {
        // SAFETY: both structures are integers and atomics of integers throughout.
        unsafe { (core::mem::zeroed(), Box::new(core::mem::zeroed())) }
    }

    /// What Xen does for an event.
    fn raise(info: &VcpuInfo, shared: &SharedInfo, port: u32) {
        let (word, bit) = (port / 64, port % 64);
        if shared.pending[word as usize].fetch_or(1 << bit, SeqCst) & 1 << bit == 0 {
            info.pending_selector.fetch_or(1 << word, SeqCst);
            info.upcall_pending.store(1, SeqCst);
        }
    }

    #[test]
    fn unmasked_events_are_taken_and_each_once() {
        let (info, shared) = quiet();
        shared.mask[0].store(0b0100, SeqCst);
        for port in [4095, 1, 2, 3] {
            raise(&info, &shared, port);
        }
        let taken: Vec<_> = from_fn(|| take(&info, &shared, &ALL)).collect();
        assert_eq!(taken, [1, 3, 4095]);
        assert_eq!(shared.pending[0].load(SeqCst), 0b0100);
        assert_eq!(info.upcall_pending.load(SeqCst), 0);
    }

    #[test]
    fn events_of_other_cpus_are_left_to_them() {
        let (info, shared) = quiet();
        let own = [const { AtomicU64::new(0) }; WORDS];
        own[1].store(0b010, SeqCst);
        for port in [64, 65, 66] {
            raise(&info, &shared, port);
        }
        assert_eq!(take(&info, &shared, &own), Some(65));
        assert_eq!(take(&info, &shared, &own), None);
        assert_eq!(shared.pending[1].load(SeqCst), 0b101);
    }

    #[test]
    fn a_call_for_nothing_ends() {
        let (info, shared) = quiet();
        info.upcall_pending.store(1, SeqCst);
        info.pending_selector.store(u64::MAX, SeqCst);
        assert_eq!(take(&info, &shared, &ALL), None);
        assert_eq!(info.pending_selector.load(SeqCst), 0);
    }

    #[test]
    fn an_event_that_happens_again_while_it_is_handled_is_a_new_one() {
        let (info, shared) = quiet();
        raise(&info, &shared, 7);
        assert_eq!(take(&info, &shared, &ALL), Some(7));
        raise(&info, &shared, 7);
        assert_eq!(take(&info, &shared, &ALL), Some(7));
        assert_eq!(take(&info, &shared, &ALL), None);
    }

    proptest! {
        #[test]
        fn as_long_as_something_is_pending_the_next_walk_is_told(ports in prop::collection::btree_set(0..4096_u32, 0..40)) {
            let (info, shared) = quiet();
            for port in &ports {
                raise(&info, &shared, *port);
            }
            for port in &ports {
                prop_assert_eq!(info.upcall_pending.load(SeqCst), 1);
                prop_assert_eq!(take(&info, &shared, &ALL), Some(*port));
            }
            prop_assert_eq!(take(&info, &shared, &ALL), None);
        }
    }
}
