//! Masking interrupts.

use super::probes;
use crate::platform::Platform;
use arch::IrqOps;

type Flags = <Platform as IrqOps>::Flags;

probes! {
    "probe.IrqOps.disable": fn disable() { Platform::disable() }
    "probe.IrqOps.enable": fn enable() { Platform::enable() }
    "probe.IrqOps.flags": fn flags() -> Flags { Platform::flags() }
    "probe.IrqOps.masked": fn masked(flags: Flags) -> bool { Platform::masked(flags) }
    "probe.IrqOps.restore": fn restore(flags: Flags) { Platform::restore(flags) }
    "probe.IrqOps.save": fn save() -> Flags { Platform::save() }
    "probe.IrqOps.enable_and_halt": fn enable_and_halt() { Platform::enable_and_halt() }
}
