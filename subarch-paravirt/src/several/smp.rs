//! The CPUs.

use super::site::{choose, detour, record};
use super::{Bare, Paravirt};
use arch::percpu::{CpuId, MAX_CPUS, PerCpu};
use arch::smp::StartError;
use arch::{SmpOps, VirtAddr};
use core::arch::asm;
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use subarch_native::ipi::{Message, send};
use subarch_native::smp::{IDS, KNOWN};
use subarch_native::trap::IPI_VECTOR;
use subarch_xen::{Xen, assembly};

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

    /// As natively, where the comparison that tells whether there is such a CPU is the branch.
    #[inline(always)]
    fn send_ipi(cpu: CpuId) {
        // SAFETY: a comparison, and jumps to where this block says. Behind it the number is that of one of the CPUs; the vector has a gate,
        // and a CPU that is called has called `cpu_online`, says the contract.
        unsafe {
            asm!(
                arch::site_text!("2", "cmp {cpu:e}, [rip + {KNOWN}]"),
                record!("{xen}"),
                "jae {none}",
                cpu = in(reg) cpu.0, KNOWN = sym KNOWN,
                none = label { return },
                xen = label { return send_ipi_under_xen(cpu) },
                options(readonly, nostack),
            );
            let to = IDS.get_unchecked(cpu.0 as usize).load(Relaxed);
            send::<Bare>(to, Message::Interrupt(IPI_VECTOR));
        }
    }

    /// The same instruction on either platform, unless under Xen the wait is long.
    #[inline(always)]
    fn spin(turn: u32) {
        arch::keeping_registers!(keeping_for_xen, assembly::spin, ["push {turn:r}"]);
        // SAFETY: waiting has no effect.
        unsafe {
            asm!(
                arch::site_text!("3", "pause"),
                detour!(subarch_xen::spin_in_assembly!()),
                "779:",
                turn = in(reg) turn, PATIENCE = const assembly::PATIENCE, spin = sym keeping_for_xen,
                options(nostack),
            );
        }
    }
}

/// What [`SmpOps::send_ipi`] is under Xen, out of the compiler's sight.
#[inline(always)]
fn send_ipi_under_xen(cpu: CpuId) {
    arch::keeping_registers!(keeping_for_xen, assembly::send_ipi, ["push {cpu}"]);
    // SAFETY: a call that changes no register; the CPU is the caller's.
    unsafe {
        asm!(
            subarch_xen::send_ipi_in_assembly!(),
            cpu = in(reg) u64::from(cpu.0), send_ipi = sym keeping_for_xen, CALLS = sym assembly::CALLS,
            MAX_CPUS = const MAX_CPUS, COUNTED = const arch::calls::COUNTED as u8,
            EVENT_CHANNEL_OP = const assembly::SEND_EVENT[0], SEND = const assembly::SEND_EVENT[1],
            out("rax") _, out("rcx") _, out("r11") _,
        );
    }
}
