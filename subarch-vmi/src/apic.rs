//! The local APIC, by way of the ROM.
//!
//! Its registers are the one device that a hypervisor has to have a say in: through them CPUs are started and called. So each
//! access has a detour, and what bare metal's code does with the registers, it does through these.

use crate::Vmi;
use crate::detour::{self, detour};
use crate::site::site;
use core::arch::asm;
use subarch_native::apic::{LocalApic, Register, address};
use vmi64::Call;

impl LocalApic for Vmi {
    #[inline(always)]
    fn read_apic(register: Register) -> u32 {
        arch::answering_in_place!(reading, read);
        let value: u64;
        // SAFETY: the registers are mapped there since the boot; reading changes none.
        unsafe {
            asm!(
                arch::site_text!("3", "mov {value:e}, [{register}]"),
                detour::record!("773f"),
                arch::detour_text!("773", "push {register}", "call {reading}", "pop {value}", "jmp 779f"),
                "779:",
                detour_call = const Call::APICRead.number(),
                register = in(reg) address(register), value = out(reg) value, reading = sym reading,
                options(nostack),
            );
        }
        value as u32
    }

    /// # Safety
    /// As for [`subarch_native::apic::write`].
    #[inline(always)]
    unsafe fn write_apic(register: Register, value: u32) {
        // SAFETY: the registers are mapped there since the boot; the caller vouches for the effect.
        unsafe {
            detour!(
                APICWrite, 3, "mov [{register}], {value:e}",
                write, ["push {value:r}", "push {register}"],
                register = in(reg) address(register), value = in(reg) value,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn end_of_interrupt() {
        // SAFETY: mapped, as above; it lets the next interrupt come, when this CPU unmasks them.
        unsafe {
            detour!(
                APICWrite, 0, "mov dword ptr [{register}], 0",
                write, ["push 0", "push {register}"],
                register = in(reg) address(Register::EndOfInterrupt),
                options(nostack),
            );
        }
    }
}

/// Call 64, for the register at `register`.
extern "sysv64" fn read(register: *mut u32) -> u32 {
    let value: u32;
    // SAFETY: the registers are mapped since the boot; reading changes none.
    unsafe {
        site!(APICRead, "mov eax, [rdi]", in("rdi") register, out("eax") value, clobber_abi("sysv64"));
    }
    value
}

/// Call 63, for the register at `register`.
///
/// # Safety
/// As for [`subarch_native::apic::write`].
unsafe extern "sysv64" fn write(register: *mut u32, value: u32) {
    // SAFETY: mapped, as for reading; the caller vouches for the effect.
    unsafe {
        site!(APICWrite, "mov [rdi], esi", in("rdi") register, in("esi") value, clobber_abi("sysv64"));
    }
}
