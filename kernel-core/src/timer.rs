//! The alarm: who is told when it goes off.

use crate::platform::Platform;
use crate::task;
use arch::percpu::PerCpuVar;
use arch::{Instant, TimeOps};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static LAST_ALARM: AtomicU64 = AtomicU64::new(0);

/// How many alarms of this CPU went off.
#[unsafe(link_section = ".percpu")]
static ALARMS: PerCpuVar<AtomicU64> = PerCpuVar::new(AtomicU64::new(0));

/// When the last alarm went off, on whatever CPU; the clock's start, if none did.
pub fn last_alarm() -> Instant {
    Instant::from_nanoseconds(LAST_ALARM.load(Relaxed))
}

/// How many alarms of the executing CPU went off; true only as long as the caller cannot be moved to another.
pub fn alarms_here() -> u64 {
    // SAFETY: any CPU's counter may be read; which one it is, is the caller's concern.
    unsafe { ALARMS.this() }.load(Relaxed)
}

/// Handles the alarm.
#[inline(always)]
pub fn alarm() {
    // SAFETY: a handler is not moved, and the counter is atomic.
    unsafe { ALARMS.this() }.fetch_add(1, Relaxed);
    LAST_ALARM.store(Platform::now().nanoseconds(), Relaxed);
    task::on_alarm();
}
