//! The CPUs: who they are, how they are woken, how they are called.
//!
//! The firmware's table lists them by the numbers of their local APICs, in no order that means anything. The core counts from the
//! one it was started on. After that a CPU is a number between 0 and 63 to everyone but this room.

mod online;
mod parcel;
mod start;
mod trampoline;

pub use parcel::Parcel;
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
use core::ops::Range;
use spin::Once;

impl SmpOps for Native {
    fn cpu_count() -> u32 {
        CPUS.get().map_or(1, |cpus| cpus.count)
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
pub fn send_ipi<P: LocalApic + IrqOps>(cpu: CpuId) {
    if let Some(to) = apic_id(cpu) {
        // SAFETY: the vector has a gate, and a CPU that is called has called `cpu_online`, says the contract.
        unsafe { send::<P>(to, Message::Interrupt(IPI_VECTOR)) };
    }
}

/// The number of `cpu`'s local APIC, if there is such a CPU.
pub fn apic_id(cpu: CpuId) -> Option<u8> {
    let cpus = CPUS.get()?;
    let ids = &cpus.ids[..cpus.count.min(MAX_CPUS) as usize];
    ids.get(cpu.0 as usize).copied()
}

/// The CPUs that the firmware `found`, with the one that asks, should it be missing.
pub(crate) fn all(mut found: ApicIds) -> ApicIds {
    found.insert(cpu::cpuid(1, 0).ebx >> 24);
    found
}

/// The CPUs, from when the firmware's tables were read.
static CPUS: Once<Cpus> = Once::new();

/// The machine's CPUs by their APICs' numbers.
#[derive(Debug)]
struct Cpus {
    /// How many there are, even if they are more than the kernel can count.
    count: u32,
    ids: [u8; MAX_CPUS as usize],
}

impl Cpus {
    /// The CPU that asks, which is `boot`, then all others of `found`, in ascending order.
    fn new(boot: u8, found: ApicIds) -> Self {
        let all = || core::iter::once(boot).chain(found.iter().filter(move |id| *id != boot));
        let mut ids = [0; MAX_CPUS as usize];
        ids.iter_mut().zip(all()).for_each(|(place, id)| *place = id);
        Self {
            count: all().count() as u32,
            ids,
        }
    }
}

/// Remembers what the firmware said of the CPUs; the executing one is CPU 0.
///
/// # Safety
/// The local APIC is mapped.
pub(crate) unsafe fn set_cpus(found: ApicIds) {
    CPUS.call_once(|| Cpus::new(apic::id(), found));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_cpu_comes_first_whatever_its_number() {
        let cpus = Cpus::new(4, ApicIds::from_iter([0, 2, 4, 6]));
        assert_eq!((cpus.count, &cpus.ids[..4]), (4, [4, 0, 2, 6].as_slice()));
        let silent = Cpus::new(7, ApicIds::default());
        assert_eq!((silent.count, silent.ids[0]), (1, 7));
    }

    #[test]
    fn more_cpus_than_the_kernel_can_count_are_counted() {
        let cpus = Cpus::new(0, (0..200).collect());
        assert_eq!((cpus.count, cpus.ids[63]), (200, 63));
    }
}
