//! The console.

use super::probes;
use crate::platform::Platform;
use arch::ConsoleOps;

probes! {
    "probe.ConsoleOps.write": fn write(bytes: &[u8]) { Platform::write(bytes) }
    "probe.ConsoleOps.read": fn read() -> Option<u8> { Platform::read() }
}
