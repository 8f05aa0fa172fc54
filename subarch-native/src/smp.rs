//! The CPUs: who they are, how they are woken, how they are called.
//!
//! The firmware's table lists them by the numbers of their local APICs, in no order that means anything. The core counts from the
//! one it was started on. After that a CPU is a number between 0 and 63 to everyone but this room.

mod online;
mod parcel;
mod start;
mod trampoline;

pub use parcel::{Parcel, TAKEN};
pub use pc_firmware::ApicIds;
pub use start::start_cpu;
pub use trampoline::PAGES as TRAMPOLINE_PAGES;

pub(crate) use start::set_up;

use crate::apic::LocalApic;
use crate::ipi::{Message, send};
use crate::trap::IPI_VECTOR;
use crate::{Native, apic, cpu};
use arch::percpu::{CpuId, MAX_CPUS, PerCpu};
use arch::smp::StartError;
use arch::{IrqOps, SmpOps, VirtAddr};
use core::iter;
use core::ops::Range;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

impl SmpOps for Native {
    #[inline(always)]
    fn cpu_count() -> u32 {
        COUNT.load(Relaxed)
    }

    /// # Safety
    /// As [`SmpOps::start_cpu`] asks.
    unsafe fn start_cpu(area: &'static PerCpu, stack: Range<VirtAddr>) -> Result<(), StartError> {
        // SAFETY: the caller vouches for area, stack and page tables.
        unsafe { start_cpu::<Self>(area, stack, |_, _| {}) }
    }

    fn send_ipi(cpu: CpuId) {
        send_ipi::<Self>(cpu);
    }

    #[inline(always)]
    fn spin(_turn: u32) {
        core::hint::spin_loop();
    }
}

/// What [`SmpOps::send_ipi`] is here, for any platform `P` on bare-metal foundations.
#[inline(always)]
pub fn send_ipi<P: LocalApic + IrqOps>(cpu: CpuId) {
    if let Some(to) = apic_id(cpu) {
        // SAFETY: the vector has a gate, and a CPU that is called has called `cpu_online`, says the contract.
        unsafe { send::<P>(to, Message::Interrupt(IPI_VECTOR)) };
    }
}

/// The number of `cpu`'s local APIC, if there is such a CPU.
pub fn apic_id(cpu: CpuId) -> Option<u8> {
    // SAFETY: no more are known than there is room for.
    (cpu.0 < KNOWN.load(Relaxed)).then(|| unsafe { IDS.get_unchecked(cpu.0 as usize) }.load(Relaxed))
}

/// The CPUs that the firmware `found`, with the one that asks, should it be missing.
pub(crate) fn all(mut found: ApicIds) -> ApicIds {
    found.insert(cpu::cpuid(1, 0).ebx >> 24);
    found
}

/// How many CPUs there are, even if they are more than the kernel can count.
pub(crate) static COUNT: AtomicU32 = AtomicU32::new(1);

/// How many of them have a place in [`IDS`]; only the boot code writes it, with `set_cpus`.
pub static KNOWN: AtomicU32 = AtomicU32::new(1);

/// The numbers of their local APICs, from when the firmware's tables were read.
pub static IDS: [AtomicU8; MAX_CPUS as usize] = [const { AtomicU8::new(0) }; MAX_CPUS as usize];

/// Remembers what the firmware said of the CPUs; the executing one is CPU 0.
///
/// # Safety
/// The local APIC is mapped.
pub(crate) unsafe fn set_cpus(found: ApicIds) {
    let all = || in_order(apic::id(), &found);
    IDS.iter().zip(all()).for_each(|(place, id)| place.store(id, Relaxed));
    let count = all().count() as u32;
    COUNT.store(count, Relaxed);
    KNOWN.store(count.min(MAX_CPUS), Relaxed);
}

/// The CPU that asks, which is `boot`, then all others of `found`, in ascending order.
fn in_order(boot: u8, found: &ApicIds) -> impl Iterator<Item = u8> {
    iter::once(boot).chain(found.iter().filter(move |id| *id != boot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_cpu_comes_first_whatever_its_number() {
        let order = |boot, found: &ApicIds| in_order(boot, found).collect::<Vec<_>>();
        assert_eq!(order(4, &ApicIds::from_iter([0, 2, 4, 6])), [4, 0, 2, 6]);
        assert_eq!(order(7, &ApicIds::default()), [7]);
    }

    #[test]
    fn more_cpus_than_the_kernel_can_count_are_counted() {
        let order: Vec<_> = in_order(0, &(0..200).collect()).collect();
        assert_eq!((order.len(), order[63]), (200, 63));
    }
}
