//! The processor, as far as a ROM lets it be seen, and the door to user mode.

mod by_rom;
mod model_specific;
mod user;

pub(crate) use model_specific::announce_system_call;

use crate::Vmi;
use crate::detour::answer;
use crate::site::site;
use arch::{CpuOps, TrapFrame, UserContext, VirtAddr};
use core::arch::x86_64::CpuidResult;
use subarch_native::Native;

impl CpuOps for Vmi {
    const USER_CODE: u16 = Native::USER_CODE;
    const USER_STACK: u16 = Native::USER_STACK;

    #[inline(always)]
    fn page_fault_address() -> VirtAddr {
        // SAFETY: reading the address has no effect.
        let address = unsafe { answer!(GetCR2, 2, "mov {answer}, cr2", "mov rax, cr2") };
        // SAFETY: as on bare metal, of which a ROM shows the same: an address that was going to be translated, which is canonical.
        unsafe { VirtAddr::new_unsafe(address) }
    }

    #[inline(never)]
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

    /// # Safety
    /// As [`CpuOps::load_user`] asks.
    #[inline]
    unsafe fn load_user(previous: &UserContext, next: &UserContext) {
        // SAFETY: the caller's promises are those that this asks for.
        unsafe { user::load(previous, next) };
    }

    /// # Safety
    /// As [`CpuOps::enter_user`] asks.
    unsafe fn enter_user(frame: &TrapFrame) -> ! {
        // SAFETY: as above.
        unsafe { user::enter(frame) }
    }

    fn extended_state() -> u64 {
        Native::extended_state()
    }
}
