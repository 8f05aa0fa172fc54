//! The other CPUs.

use super::probes;
use crate::platform::Platform;
use arch::percpu::{CpuId, PerCpu};
use arch::smp::StartError;
use arch::{SmpOps, VirtAddr};
use core::ops::Range;

probes! {
    "probe.SmpOps.cpu_count": fn cpu_count() -> u32 { Platform::cpu_count() }
    "probe.SmpOps.start_cpu": fn start_cpu(area: &'static PerCpu, stack: Range<VirtAddr>) -> Result<(), StartError> {
        // SAFETY: never executed.
        unsafe { Platform::start_cpu(area, stack) }
    }
    "probe.SmpOps.send_ipi": fn send_ipi(cpu: CpuId) { Platform::send_ipi(cpu) }
    "probe.SmpOps.spin": fn spin(turn: u32) { Platform::spin(turn) }
}
