//! How many interrupts came, by their reason.

use arch::Interrupt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static ALARMS: AtomicU64 = AtomicU64::new(0);
static CONSOLE: AtomicU64 = AtomicU64::new(0);
static IPIS: AtomicU64 = AtomicU64::new(0);
static UNEXPECTED: AtomicU64 = AtomicU64::new(0);

/// Interrupts since boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Alarms of the timer.
    pub alarms: u64,
    /// Announcements of console input.
    pub console: u64,
    /// Those that other CPUs raised.
    pub ipis: u64,
    /// Those nobody asked for.
    pub unexpected: u64,
}

/// The counts so far.
pub fn counts() -> Counts {
    Counts {
        alarms: ALARMS.load(Relaxed),
        console: CONSOLE.load(Relaxed),
        ipis: IPIS.load(Relaxed),
        unexpected: UNEXPECTED.load(Relaxed),
    }
}

pub(super) fn record(source: Interrupt) {
    let counter = match source {
        Interrupt::Alarm => &ALARMS,
        Interrupt::Console => &CONSOLE,
        Interrupt::Ipi => &IPIS,
        Interrupt::Unexpected(_) => &UNEXPECTED,
    };
    counter.fetch_add(1, Relaxed);
}
