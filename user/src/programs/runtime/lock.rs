//! A lock that sleeps in the kernel only if it must, after Drepper, "Futexes are tricky" (2011), section 6: 0 is free, 1 is
//! taken, 2 is taken and somebody may wait.

use super::syscall::{FUTEX_PRIVATE, futex_wait, futex_wake};
use core::sync::atomic::{AtomicU32, Ordering};

/// The lock.
#[derive(Debug)]
pub struct Lock(AtomicU32);

impl Lock {
    /// A free one.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Takes it, runs `body`, frees it.
    pub fn with<R>(&self, body: impl FnOnce() -> R) -> R {
        self.take();
        let result = body();
        self.free();
        result
    }

    fn take(&self) {
        if self
            .0
            .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
        {
            return;
        }
        while self.0.swap(2, Ordering::Acquire) != 0 {
            // Whatever it says, the swap looks again.
            let _ = futex_wait(&self.0, 2, FUTEX_PRIVATE, None);
        }
    }

    fn free(&self) {
        if self.0.swap(0, Ordering::Release) == 2 {
            futex_wake(&self.0, 1, FUTEX_PRIVATE).expect("a futex can be woken");
        }
    }
}
