//! Whether that is Xen beneath, and whether it can do what this ROM needs.
//!
//! A hypervisor tells its name in a CPUID leaf from 40000000h on, a hundred leaves further if another one shows its own first
//! (public header `arch-x86/cpuid.h`).

use core::arch::x86_64::{__cpuid, CpuidResult};

/// The first leaf of those that hypervisors have for themselves, the distance to the next place, and the end of all.
const FIRST: u32 = 0x4000_0000;
const STEP: usize = 0x100;
const END: u32 = 0x4001_0000;

/// Whether Xen runs this machine.
pub fn is_xen() -> bool {
    /// CPUID leaf 1, ECX: there is a hypervisor (AMD64 manual, vol. 3, E.3.2).
    const HYPERVISOR: u32 = 1 << 31;
    __cpuid(1).ecx & HYPERVISOR != 0 && (FIRST..END).step_by(STEP).any(|leaf| is_signature(__cpuid(leaf)))
}

/// "XenVMMXenVMM", in EBX, ECX and EDX.
fn is_signature(leaf: CpuidResult) -> bool {
    [leaf.ebx, leaf.ecx, leaf.edx] == [*b"XenV", *b"MMXe", *b"nVMM"].map(u32::from_le_bytes)
}

/// Whether the processor is one that calls its hypervisor by VMCALL: all but AMD's and Hygon's.
pub fn calls_by_vmcall() -> bool {
    let vendor = __cpuid(0).ebx;
    ![*b"Auth", *b"Hygo"].map(u32::from_le_bytes).contains(&vendor)
}
