//! The processor, and the door to user mode.

use super::probes;
use crate::platform::Platform;
use arch::{CpuOps, TrapFrame, UserContext, VirtAddr};
use core::arch::x86_64::CpuidResult;

probes! {
    "probe.CpuOps.page_fault_address": fn page_fault_address() -> VirtAddr { Platform::page_fault_address() }
    "probe.CpuOps.cpuid": fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult { Platform::cpuid(leaf, subleaf) }
    "probe.CpuOps.load_user": fn load_user(previous: &UserContext, next: &UserContext) {
        // SAFETY: never executed.
        unsafe { Platform::load_user(previous, next) }
    }
    "probe.CpuOps.enter_user": fn enter_user(frame: &TrapFrame) -> ! {
        // SAFETY: never executed.
        unsafe { Platform::enter_user(frame) }
    }
    "probe.CpuOps.extended_state": fn extended_state() -> u64 { Platform::extended_state() }
}
