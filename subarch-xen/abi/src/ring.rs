//! The page through which a domain and the console daemon in dom0 talk.
//!
//! Two rings, each with one writer and one reader. Their indices run freely and are reduced only when they are used, so
//! that their difference is how much the ring holds, full and empty told apart. The other side is another program in another
//! domain: indices that make no sense are taken for a ring with nothing in it and no room. Source: Xen's public header
//! `io/console.h`.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// `struct xencons_interface`.
#[repr(C)]
#[derive(Debug)]
pub struct Ring {
    input: [AtomicU8; 1024],
    output: [AtomicU8; 2048],
    input_consumed: AtomicU32,
    input_produced: AtomicU32,
    output_consumed: AtomicU32,
    output_produced: AtomicU32,
}

const _: () = assert!(core::mem::offset_of!(Ring, input_consumed) == 3072);

impl Ring {
    /// Puts as much of `bytes` into the output ring as it has room for; the answer is how many.
    pub fn push(&self, bytes: &[u8]) -> usize {
        let mut produced = self.output_produced.load(Relaxed);
        let count = bytes.len().min(self.room());
        for &byte in &bytes[..count] {
            self.output[produced as usize % self.output.len()].store(byte, Relaxed);
            produced = produced.wrapping_add(1);
        }
        self.output_produced.store(produced, Release);
        count
    }

    /// Takes a byte from the input ring.
    pub fn pop(&self) -> Option<u8> {
        let consumed = self.input_consumed.load(Relaxed);
        if self.is_empty() {
            return None;
        }
        let byte = self.input[consumed as usize % self.input.len()].load(Relaxed);
        self.input_consumed.store(consumed.wrapping_add(1), Release);
        Some(byte)
    }

    /// Whether there is no input.
    pub fn is_empty(&self) -> bool {
        let held = held(&self.input_consumed, &self.input_produced);
        held == 0 || held > self.input.len()
    }

    /// Whether the output ring can take a byte.
    pub fn has_room(&self) -> bool {
        self.room() > 0
    }

    /// Whether all output was taken.
    pub fn is_drained(&self) -> bool {
        self.waiting() == 0
    }

    /// How many bytes of output were not taken yet.
    pub fn waiting(&self) -> usize {
        held(&self.output_consumed, &self.output_produced)
    }

    /// How many bytes of output can be put.
    fn room(&self) -> usize {
        self.output.len().saturating_sub(self.waiting())
    }
}

/// How many bytes are between two indices.
fn held(consumed: &AtomicU32, produced: &AtomicU32) -> usize {
    produced.load(Acquire).wrapping_sub(consumed.load(Acquire)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn ring(start: u32) -> Box<Ring> {
        // SAFETY: the structure is atomics of integers throughout.
        let ring: Box<Ring> = unsafe { Box::new(core::mem::zeroed()) };
        for index in [
            &ring.input_consumed,
            &ring.input_produced,
            &ring.output_consumed,
            &ring.output_produced,
        ] {
            index.store(start, Relaxed);
        }
        ring
    }

    /// What the daemon does.
    fn consume(ring: &Ring, count: usize) -> Vec<u8> {
        let consumed = ring.output_consumed.load(Relaxed);
        let held = held(&ring.output_consumed, &ring.output_produced).min(count);
        let at = |i| ring.output[consumed.wrapping_add(i) as usize % 2048].load(Relaxed);
        ring.output_consumed.store(consumed.wrapping_add(held as u32), Relaxed);
        (0..held as u32).map(at).collect()
    }

    #[test]
    fn a_full_ring_takes_nothing() {
        let ring = ring(0);
        assert_eq!(ring.push(&[7; 3000]), 2048);
        assert!(!ring.has_room());
        assert_eq!(ring.push(&[7]), 0);
        assert_eq!(consume(&ring, 10).len(), 10);
        assert_eq!(ring.push(&[7; 3000]), 10);
    }

    #[test]
    fn input_comes_out_in_order_across_the_wrap_of_the_index() {
        let ring = ring(u32::MAX);
        assert_eq!(ring.pop(), None);
        ring.input[1023].store(b'a', Relaxed);
        ring.input[0].store(b'b', Relaxed);
        ring.input_produced.store(1, Relaxed);
        assert_eq!((ring.pop(), ring.pop(), ring.pop()), (Some(b'a'), Some(b'b'), None));
    }

    #[test]
    fn senseless_indices_are_neither_input_nor_room() {
        let ring = ring(0);
        ring.input_produced.store(5000, Relaxed);
        ring.output_consumed.store(9, Relaxed);
        assert_eq!(ring.pop(), None);
        assert_eq!(ring.push(b"x"), 0);
    }

    proptest! {
        #[test]
        fn output_behaves_like_a_queue(
            start: u32,
            steps in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..1500), 0..1500_usize), 0..30),
        ) {
            let (ring, mut model) = (ring(start), VecDeque::new());
            for (bytes, count) in steps {
                let taken = ring.push(&bytes);
                prop_assert_eq!(taken, bytes.len().min(2048 - model.len()));
                model.extend(&bytes[..taken]);
                let expected: Vec<u8> = model.drain(..count.min(model.len())).collect();
                prop_assert_eq!(consume(&ring, count), expected);
                prop_assert_eq!(ring.is_drained(), model.is_empty());
            }
        }
    }
}
