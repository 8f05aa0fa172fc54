//! The local APIC, by way of the ROM.
//!
//! Its registers are the one device that a hypervisor has to have a say in: through them CPUs are started and called. So each
//! access is a site, and what bare metal's code does with the registers, it does through these two.

use crate::Vmi;
use crate::site::site;
use subarch_native::apic::{LocalApic, Register};
use subarch_native::mmu::devices::LOCAL_APIC;

impl LocalApic for Vmi {
    #[inline(always)]
    fn read_apic(register: Register) -> u32 {
        let value: u32;
        // SAFETY: the registers are mapped there since the boot; reading changes none.
        unsafe {
            site!(APICRead, "mov eax, [rdi]", in("rdi") address(register), out("eax") value, clobber_abi("sysv64"));
        }
        value
    }

    /// # Safety
    /// As for [`subarch_native::apic::write`].
    #[inline(always)]
    unsafe fn write_apic(register: Register, value: u32) {
        // SAFETY: mapped, as for reading; the caller vouches for the effect.
        unsafe {
            site!(APICWrite, "mov [rdi], esi", in("rdi") address(register), in("esi") value, clobber_abi("sysv64"));
        }
    }
}

/// Where `register` is mapped.
#[inline(always)]
fn address(register: Register) -> u64 {
    LOCAL_APIC.as_u64() + register as u64
}
