//! The CPUs of the machine: starting them, and getting their attention.
//!
//! On bare metal a CPU wakes up in the mode of 1978 and has to be led through all those since; under Xen it appears ready made in
//! whatever state is asked for. Either way the core sees the same: an area, a stack, and some time later
//! [`Kernel::cpu_online`](crate::Kernel::cpu_online) running on both.

use crate::percpu::{CpuId, PerCpu};
use core::fmt;
use core::ops::Range;
use x86_64::VirtAddr;

/// Why a CPU could not even be asked to start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartError {
    /// The machine has no such CPU.
    NoSuchCpu(CpuId),
    /// It was asked, did not answer, and never will.
    NoAnswer(CpuId),
    /// The platform has no memory left where starting needs it.
    NoMemory,
    /// The platform refused; the number is its own error code.
    Refused(i64),
}

impl fmt::Display for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCpu(cpu) => write!(out, "there is no CPU {}", cpu.0),
            Self::NoAnswer(cpu) => write!(out, "CPU {} does not answer", cpu.0),
            Self::NoMemory => write!(out, "no memory to start a CPU with"),
            Self::Refused(code) => write!(out, "the platform refused with error {code}"),
        }
    }
}

/// The CPUs that the platform offers.
pub trait SmpOps {
    /// How many CPUs the machine has, the one executing included.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | the enabled local APICs of ACPI's MADT | `VCPUOP_is_up` for each number | as native |
    ///
    /// At least 1, and constant while the kernel runs. CPUs are numbered from 0, the boot CPU, without gaps.
    fn cpu_count() -> u32;

    /// Starts the CPU that `area` was prepared for, on `stack`.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | INIT and SIPI by the local APIC | `VCPUOP_initialise` and `VCPUOP_up` | call 62, *SetInitialAPState*, then as native |
    ///
    /// Returns when the CPU has been asked. It calls [`Kernel::cpu_online`](crate::Kernel::cpu_online) on the kernel's page tables,
    /// with GS at `area`, exceptions going to the core, and interrupts masked; when it does not within a
    /// reasonable time, it never will.
    ///
    /// # Errors
    /// [`StartError`]
    ///
    /// # Safety
    /// `area` was prepared for a CPU that does not run, and `stack` is mapped and nobody else's; both are given away. The kernel's
    /// page tables of the boot CPU are in use on this one.
    unsafe fn start_cpu(area: &'static PerCpu, stack: Range<VirtAddr>) -> Result<(), StartError>;

    /// Raises [`Interrupt::Ipi`](crate::Interrupt::Ipi) on `cpu`, which has called `cpu_online`.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | the local APIC's interrupt command register | `evtchn_send` to the CPU's channel | call 63, *APICWrite*, as native |
    ///
    /// Several before the first is handled may become one. What it is about is the core's to write down beforehand, and
    /// everything written before is seen by the handler. May name the executing CPU.
    fn send_ipi(cpu: CpuId);

    /// One turn of a loop that waits for another CPU, the `turn`th, counted from 0.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `pause` | `pause`; from some turn on `SCHEDOP_yield` | `pause` |
    ///
    /// The other CPU may not be running at all: where a hypervisor decides that, it is told after a while that this one is only
    /// waiting.
    fn spin(turn: u32);
}
