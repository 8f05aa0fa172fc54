//! How many CPUs there are: the firmware's table says it, once, at boot.
//!
//! The others wait where the firmware parked them, for a start-up interrupt that the core does not send yet. Memory below 1 MiB
//! is kept for that day: a CPU starts in real mode and cannot see more.

use crate::Native;
use arch::SmpOps;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What the firmware said; until then, the CPU that asks.
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
