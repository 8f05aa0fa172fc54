//! Waiting for a moment.

use crate::irq::idle_unless;
use crate::platform::Platform;
use arch::{Instant, TimeOps};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

static LAST_ALARM: AtomicU64 = AtomicU64::new(0);

/// When the last alarm went off; the clock's start, if none did.
pub fn last_alarm() -> Instant {
    Instant::from_nanoseconds(LAST_ALARM.load(Relaxed))
}

/// Handles the alarm: whoever waits looks at the clock again.
pub fn alarm() {
    LAST_ALARM.store(Platform::now().nanoseconds(), Relaxed);
}

/// Stops this CPU for at least `span`; interrupts are handled meanwhile.
pub fn sleep(span: Duration) {
    let deadline = Platform::now() + span;
    while Platform::now() < deadline {
        Platform::set_alarm(deadline);
        idle_unless(|| Platform::now() >= deadline);
    }
}
