//! Stacks that fault instead of overwriting what lies below them.
//!
//! The stacks a platform boots on exist before any allocator, so they are statics of the image. Their lowest page is never
//! mapped: the platform's boot code leaves it out when it builds the kernel's page tables.

use core::cell::UnsafeCell;
use core::ops::Range;
use x86_64::VirtAddr;

/// A stack of `SIZE` bytes above a guard page. `SIZE` is a multiple of the page size.
#[repr(C, align(4096))]
pub struct GuardedStack<const SIZE: usize> {
    guard: UnsafeCell<[u8; 4096]>,
    stack: UnsafeCell<[u8; SIZE]>,
}

// SAFETY: a stack is not accessed through this type: it only tells addresses. Whoever loads one into RSP promises to be the
// only user.
unsafe impl<const SIZE: usize> Sync for GuardedStack<SIZE> {}

impl<const SIZE: usize> core::fmt::Debug for GuardedStack<SIZE> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "GuardedStack({:?})", self.range())
    }
}

impl<const SIZE: usize> GuardedStack<SIZE> {
    /// A stack for a `static`.
    pub const fn new() -> Self {
        assert!(SIZE.is_multiple_of(4096), "a stack is a whole number of pages");
        Self {
            guard: UnsafeCell::new([0; 4096]),
            stack: UnsafeCell::new([0; SIZE]),
        }
    }

    /// The page that must not be mapped.
    pub fn guard_page(&self) -> VirtAddr {
        VirtAddr::from_ptr(self.guard.get())
    }

    /// The stack's addresses; its end is the initial stack pointer.
    pub fn range(&self) -> Range<VirtAddr> {
        let low = VirtAddr::from_ptr(self.stack.get());
        low..low + SIZE as u64
    }
}

impl<const SIZE: usize> Default for GuardedStack<SIZE> {
    fn default() -> Self {
        Self::new()
    }
}
