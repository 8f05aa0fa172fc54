//! The alarm: who is told when it goes off.

use crate::platform::Platform;
use crate::task;
use arch::{Instant, TimeOps};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static LAST_ALARM: AtomicU64 = AtomicU64::new(0);

/// When the last alarm went off, on whatever CPU; the clock's start, if none did.
pub fn last_alarm() -> Instant {
    Instant::from_nanoseconds(LAST_ALARM.load(Relaxed))
}

/// Handles the alarm.
pub fn alarm() {
    LAST_ALARM.store(Platform::now().nanoseconds(), Relaxed);
    task::on_alarm();
}
