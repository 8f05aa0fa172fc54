//! The executing CPU.

use super::site::choose;
use super::{Bare, Paravirt};
use arch::{CpuOps, TrapFrame, UserContext, VirtAddr};
use core::arch::x86_64::CpuidResult;
use subarch_xen::Xen;

/// Programs begin with the bare machine's selectors. Under Xen there are others, which [`enter_user`](CpuOps::enter_user) puts in their
/// place.
impl CpuOps for Paravirt {
    const USER_CODE: u16 = Bare::USER_CODE;
    const USER_STACK: u16 = Bare::USER_STACK;

    /// A ROM may have an answer of its own; without one it is an instruction for an instruction.
    #[cfg(feature = "vmi")]
    #[inline(always)]
    fn page_fault_address() -> VirtAddr {
        choose!(Bare::page_fault_address(), Xen::page_fault_address())
    }

    #[cfg(not(feature = "vmi"))]
    #[inline(always)]
    fn page_fault_address() -> VirtAddr {
        use super::site::alternative;
        use core::arch::asm;
        use subarch_xen::FAULT_ADDRESS;
        let address;
        // SAFETY: it reads. The address of a page fault is canonical on either platform: see there.
        unsafe {
            asm!(
                alternative!([".fill 6, 1, 0x2e", "mov rax, cr2"], ["mov rax, gs:[{offset}]"]),
                offset = const FAULT_ADDRESS,
                out("rax") address,
                options(nostack, preserves_flags, readonly),
            );
            VirtAddr::new_unsafe(address)
        }
    }

    fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
        choose!(Bare::cpuid(leaf, subleaf), Xen::cpuid(leaf, subleaf))
    }

    /// # Safety
    /// As [`CpuOps::load_user`] asks.
    #[inline]
    unsafe fn load_user(previous: &UserContext, next: &UserContext) {
        // SAFETY: the caller vouches for the same.
        unsafe { choose!(Bare::load_user(previous, next), Xen::load_user(previous, next)) }
    }

    /// # Safety
    /// As [`CpuOps::enter_user`] asks.
    unsafe fn enter_user(frame: &TrapFrame) -> ! {
        // SAFETY: the caller vouches for the same; the selectors are those of programs on either platform.
        unsafe { choose!(Bare::enter_user(frame), Xen::enter_user(&with_selectors_of_xen(frame))) }
    }

    #[inline]
    fn extended_state() -> u64 {
        choose!(Bare::extended_state(), Xen::extended_state())
    }
}

/// `frame` with the selectors that programs have under Xen.
fn with_selectors_of_xen(frame: &TrapFrame) -> TrapFrame {
    TrapFrame {
        cs: Xen::USER_CODE.into(),
        ss: Xen::USER_STACK.into(),
        ..frame.clone()
    }
}
