//! Event channels, and who is told of what.
//!
//! Xen has no interrupt controller to offer, it has two levels of bits. An event sets its bit in the shared page, then the bit
//! of that word in the CPU's selector, then the CPU's `upcall_pending`; if the CPU does not mask events it is made to call
//! [`upcall`]. The walk back down takes each level *before* it looks at the one below, so that an event that arrives
//! in the middle is either still found or makes Xen call again, never lost.
//!
//! An event is acknowledged before it is handled: one that happens again during the handler is a new one.

use crate::abi::SharedInfo;
use crate::abi::shared_info::{SHARED_INFO, WORDS};
use crate::cpu;
use crate::hypercall::Granted;
use crate::hypercall::event::{Port, Virq, bind_virq, unmask};
use arch::{Interrupt, Kernel};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

/// No event channel: Xen never gives out port 0.
const NONE: u32 = 0;

/// The channels that somebody asked for.
static TIMER: AtomicU32 = AtomicU32::new(NONE);
static CONSOLE: AtomicU32 = AtomicU32::new(NONE);

/// Masks every event channel: whatever the domain was started with, nothing arrives that nobody asked for.
pub fn mask_all() {
    for word in &SHARED_INFO.mask {
        word.store(u64::MAX, SeqCst);
    }
}

/// Asks for the events of this CPU's timer.
pub fn listen_to_timer() {
    listen(&TIMER, bind_virq(Virq::Timer, 0).granted());
}

/// Asks for the events that announce console input: on the console's own channel, or as dom0 on Xen's.
pub fn listen_to_console(own: Option<Port>) {
    listen(&CONSOLE, own.unwrap_or_else(|| bind_virq(Virq::Console, 0).granted()));
}

/// Remembers what `port` is for, then lets it through: at once, if it is pending already.
fn listen(source: &AtomicU32, port: Port) {
    source.store(port.0, Relaxed);
    unmask(port).granted();
}

/// Handles everything that is pending on this CPU. Called by the stub that Xen enters, with events masked.
pub extern "C" fn upcall<K: Kernel>() {
    let info = cpu::vcpu_info();
    while info.upcall_pending.swap(0, SeqCst) != 0 {
        let selected = info.pending_selector.swap(0, SeqCst);
        take(&SHARED_INFO, selected, |port| K::interrupt(source(port)));
    }
}

/// What the core knows event channel `port` as.
fn source(port: u32) -> Interrupt {
    if port == TIMER.load(Relaxed) {
        Interrupt::Alarm
    } else if port == CONSOLE.load(Relaxed) {
        Interrupt::Console
    } else {
        Interrupt::Unexpected(port)
    }
}

/// Acknowledges and handles each unmasked event in the words that `selected` has a bit for.
fn take(shared: &SharedInfo, selected: u64, mut handle: impl FnMut(u32)) {
    for word in bits(selected) {
        let pending = &shared.pending[word as usize];
        for bit in bits(pending.load(SeqCst) & !shared.mask[word as usize].load(SeqCst)) {
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
        take(&shared, 1 | 1 << 63, |port| taken.push(port));
        assert_eq!(taken, [1, 3, 4095]);
        assert_eq!(shared.pending[0].load(SeqCst), 0b0100);
        assert_eq!(shared.pending[2].load(SeqCst), 1);
        take(&shared, u64::MAX, |port| taken.push(port));
        assert_eq!(taken, [1, 3, 4095, 128]);
    }

    #[test]
    fn an_event_is_acknowledged_before_it_is_handled() {
        let shared = shared();
        shared.pending[0].store(2, SeqCst);
        take(&shared, 1, |_| {
            shared.pending[0].fetch_or(2, SeqCst);
        });
        assert_eq!(shared.pending[0].load(SeqCst), 2);
    }

    #[test]
    fn an_event_that_a_nested_walk_took_is_not_taken_again() {
        let shared = shared();
        shared.pending[0].store(0b110, SeqCst);
        let mut taken = Vec::new();
        take(&shared, 1, |port| {
            taken.push(port);
            shared.pending[0].store(0, SeqCst);
        });
        assert_eq!(taken, [1]);
    }
}
