//! Ways to end.

use super::probes;
use crate::platform::Platform;
use arch::PowerOps;

probes! {
    "probe.PowerOps.power_off": fn power_off() -> ! { Platform::power_off() }
    "probe.PowerOps.reboot": fn reboot() -> ! { Platform::reboot() }
    "probe.PowerOps.exit": fn exit(status: u8) -> ! { Platform::exit(status) }
    "probe.PowerOps.crash": fn crash() -> ! { Platform::crash() }
}
