//! The processor, as far as a ROM lets it be seen.

use crate::Vmi;
use crate::site::site;
use arch::{CpuOps, VirtAddr};
use core::arch::x86_64::CpuidResult;

impl CpuOps for Vmi {
    #[inline(always)]
    fn page_fault_address() -> VirtAddr {
        let address;
        // SAFETY: reading the address has no effect.
        unsafe { site!(GetCR2, "mov rax, cr2", out("rax") address, clobber_abi("sysv64")) }
        VirtAddr::new_truncate(address)
    }

    #[inline(always)]
    fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
        let (eax, ebx, ecx, edx);
        // SAFETY: identification has no effect. RBX, which the compiler keeps for itself, is put aside and brought back.
        unsafe {
            site!(
                Cpuid, ["mov {ebx:r}, rbx"] "cpuid" ["xchg {ebx:r}, rbx"],
                ebx = out(reg) ebx, inout("eax") leaf => eax, inout("ecx") subleaf => ecx, out("edx") edx,
            );
        }
        CpuidResult { eax, ebx, ecx, edx }
    }
}
