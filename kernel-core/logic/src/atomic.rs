//! The atomics of the lock-free parts: the processor's own, or in a model check those of `loom`, which tries all orders
//! in which the threads of a test can see each other's accesses.

#[cfg(all(loom, test))]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, Ordering},
};

#[cfg(not(all(loom, test)))]
pub(crate) use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, Ordering};

/// A cell with the interface of `loom`'s.
#[cfg(not(all(loom, test)))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(all(loom, test)))]
impl<T> UnsafeCell<T> {
    pub const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    #[inline(always)]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Makes a function `const` except under `loom`, whose atomics cannot be made at compile time.
macro_rules! const_unless_loom {
    ($(#[$attribute:meta])* pub fn $name:ident() -> Self $body:block) => {
        $(#[$attribute])*
        #[cfg(not(all(loom, test)))]
        pub const fn $name() -> Self $body

        $(#[$attribute])*
        #[cfg(all(loom, test))]
        pub fn $name() -> Self $body
    };
}
pub(crate) use const_unless_loom;
