//! The CPUs: bare metal's way of starting and calling them, told to the ROM at each step.
//!
//! A CPU that is being started belongs to nobody for a while: it runs 16-bit code, without the kernel's tables and without its
//! area. A ROM learns beforehand where it will come out ([`ApState`]), and has its bytes of the new area ready by then. All
//! messages between CPUs go through the sites of the local APIC.

use crate::Vmi;
use crate::site::notice;
use arch::percpu::{CpuId, PerCpu};
use arch::smp::StartError;
use arch::{SmpOps, VirtAddr};
use core::ops::Range;
use subarch_native::Native;
use subarch_native::smp::{self, Parcel, TAKEN};
use vmi64::ApState;

impl SmpOps for Vmi {
    fn cpu_count() -> u32 {
        Native::cpu_count()
    }

    /// # Safety
    /// As [`SmpOps::start_cpu`] asks.
    unsafe fn start_cpu(area: &'static PerCpu, stack: Range<VirtAddr>) -> Result<(), StartError> {
        // SAFETY: the caller vouches for area, stack and page tables.
        unsafe { smp::start_cpu::<Self>(area, stack, |apic, parcel| announce(&state(apic, parcel))) }
    }

    #[inline(always)]
    fn send_ipi(cpu: CpuId) {
        smp::send_ipi::<Self>(cpu);
    }

    #[inline(always)]
    fn spin(turn: u32) {
        Native::spin(turn);
    }
}

/// The state in which the CPU of local APIC `apic` will come out of its 16-bit beginnings, as the ABI has it.
fn state(apic: u8, parcel: &Parcel) -> ApState {
    ApState {
        size: size_of::<ApState>() as u32,
        apic: apic.into(),
        rip: parcel.entry,
        rsp: parcel.stack,
        gs_base: parcel.area,
        cr0: parcel.cr0.into(),
        cr3: parcel.root,
        cr4: parcel.cr4.into(),
        efer: parcel.efer.into(),
        rdi: parcel.area,
        rsi: parcel.root,
        word: &raw const parcel.owner as u64,
    }
}

// What the trampoline writes there, a CPU that does not come that way must.
const _: () = assert!(TAKEN == vmi64::ap_state::HAS_COME);

/// Tells the ROM of a CPU that is about to be started.
fn announce(state: &ApState) {
    // SAFETY: a notice of what will be so; the ROM changes nothing but its own bytes of an area that nobody uses yet.
    unsafe { notice!(SetInitialAPState, in("rdi") &raw const *state, clobber_abi("sysv64")) }
}
