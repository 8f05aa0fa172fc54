//! The CPUs.

use super::site::choose;
use super::{Bare, Paravirt};
use arch::percpu::{CpuId, PerCpu};
use arch::smp::StartError;
use arch::{SmpOps, VirtAddr};
use core::ops::Range;
use subarch_xen::Xen;

impl SmpOps for Paravirt {
    fn cpu_count() -> u32 {
        choose!(Bare::cpu_count(), Xen::cpu_count())
    }

    /// # Safety
    /// As [`SmpOps::start_cpu`] asks.
    unsafe fn start_cpu(area: &'static PerCpu, stack: Range<VirtAddr>) -> Result<(), StartError> {
        // SAFETY: the caller vouches for the same.
        unsafe { choose!(Bare::start_cpu(area, stack), Xen::start_cpu(area, stack)) }
    }

    #[inline]
    fn send_ipi(cpu: CpuId) {
        choose!(Bare::send_ipi(cpu), Xen::send_ipi(cpu))
    }

    #[inline(always)]
    fn spin(turn: u32) {
        choose!(Bare::spin(turn), Xen::spin(turn))
    }
}
