//! Numbers that a ROM writes down in its data pages.

use core::cell::UnsafeCell;

/// A value of a ROM's `.bss`, written while one CPU runs with interrupts off (in *Init* and *SetIDT*), read at any time.
#[repr(transparent)]
#[derive(Debug)]
pub struct Cell<T>(UnsafeCell<T>);

// SAFETY: the kernel calls *Init* before it starts other CPUs, with interrupts masked; later writers say why they are alone.
unsafe impl<T: Send> Sync for Cell<T> {}

impl<T> Cell<T> {
    /// A cell that holds `value`: all zeroes, since a ROM has no initialised data.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value's address.
    #[inline(always)]
    pub const fn pointer(&self) -> *mut T {
        self.0.get()
    }
}

impl<T: Copy> Cell<T> {
    /// The value.
    #[inline(always)]
    pub fn get(&self) -> T {
        // SAFETY: the cell is always initialised, and nobody writes it at the same time.
        unsafe { self.0.get().read_volatile() }
    }

    /// Replaces the value.
    ///
    /// # Safety
    /// Nobody reads or writes the cell at the same time.
    #[inline(always)]
    pub unsafe fn set(&self, value: T) {
        // SAFETY: the caller vouches for being alone.
        unsafe { self.0.get().write_volatile(value) }
    }
}
