//! Clocks and the alarm.

use super::probes;
use crate::platform::Platform;
use arch::{Instant, TimeOps};
use core::time::Duration;

probes! {
    "probe.TimeOps.now": fn now() -> Instant { Platform::now() }
    "probe.TimeOps.cycles": fn cycles() -> u64 { Platform::cycles() }
    "probe.TimeOps.cycles_to_duration": fn cycles_to_duration(cycles: u64) -> Duration { Platform::cycles_to_duration(cycles) }
    "probe.TimeOps.wall_clock": fn wall_clock() -> Duration { Platform::wall_clock() }
    "probe.TimeOps.set_alarm": fn set_alarm(deadline: Instant) { Platform::set_alarm(deadline) }
    "probe.TimeOps.cancel_alarm": fn cancel_alarm() { Platform::cancel_alarm() }
    "probe.TimeOps.stolen": fn stolen() -> Duration { Platform::stolen() }
}
