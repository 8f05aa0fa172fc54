//! A list of free blocks whose links lie in the blocks.

use super::FrameMemory;
use arch::Pfn;

/// The links at the start of a free block.
#[derive(Clone, Copy)]
struct Node {
    previous: Option<Pfn>,
    next: Option<Pfn>,
}

/// The free blocks of one order, last freed first.
pub(super) struct List {
    first: Option<Pfn>,
    length: u64,
}

impl List {
    pub const fn new() -> Self {
        Self { first: None, length: 0 }
    }

    pub fn len(&self) -> u64 {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// # Safety
    /// `block` is memory of the allocator, and in no list. The same `memory` is used for all calls on this list.
    pub unsafe fn push(&mut self, memory: &impl FrameMemory, block: Pfn) {
        // SAFETY: the caller vouches for `block`; the old first is in the list.
        unsafe {
            node(memory, block).write(Node {
                previous: None,
                next: self.first,
            });
            if let Some(old) = self.first {
                (*node(memory, old)).previous = Some(block);
            }
        }
        self.first = Some(block);
        self.length += 1;
    }

    /// # Safety
    /// As for [`push`](Self::push).
    pub unsafe fn pop(&mut self, memory: &impl FrameMemory) -> Option<Pfn> {
        let block = self.first?;
        // SAFETY: `block` is in the list.
        unsafe { self.remove(memory, block) };
        Some(block)
    }

    /// # Safety
    /// `block` is in this list.
    pub unsafe fn remove(&mut self, memory: &impl FrameMemory, block: Pfn) {
        // SAFETY: `block` is in the list, and so are its neighbours.
        unsafe {
            let Node { previous, next } = node(memory, block).read();
            match previous {
                Some(previous) => (*node(memory, previous)).next = next,
                None => self.first = next,
            }
            if let Some(next) = next {
                (*node(memory, next)).previous = previous;
            }
        }
        self.length -= 1;
    }
}

fn node(memory: &impl FrameMemory, block: Pfn) -> *mut Node {
    memory.pointer(block).cast()
}
