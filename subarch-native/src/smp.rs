//! How many CPUs there are: the firmware's table says it, once, at boot.

use crate::Native;
use arch::SmpOps;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

static CPUS: AtomicU32 = AtomicU32::new(1);

impl SmpOps for Native {
    fn cpu_count() -> u32 {
        CPUS.load(Relaxed)
    }
}

/// Remembers what the firmware said; a machine has at least the CPU that asks.
pub(crate) fn set_cpu_count(count: u32) {
    CPUS.store(count.max(1), Relaxed);
}
