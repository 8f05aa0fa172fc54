//! The executing CPU.

use super::site::{answer, becomes, choose};
use super::{Bare, Paravirt};
use arch::{CpuOps, TrapFrame, UserContext, VirtAddr};
use core::arch::asm;
use core::arch::x86_64::CpuidResult;
use subarch_xen::{FAULT_ADDRESS, Xen};

/// Programs begin with the bare machine's selectors. Under Xen there are others, which [`enter_user`](CpuOps::enter_user) puts in their
/// place.
impl CpuOps for Paravirt {
    const USER_CODE: u16 = Bare::USER_CODE;
    const USER_STACK: u16 = Bare::USER_STACK;

    #[inline(always)]
    fn page_fault_address() -> VirtAddr {
        // SAFETY: it reads. The address of a page fault is canonical on either platform: see there.
        unsafe {
            VirtAddr::new_unsafe(answer!(
                6, "mov {answer}, cr2", becomes!("mov {answer}, gs:[{FAULT_ADDRESS}]"), GetCR2 => "mov rax, cr2",
                FAULT_ADDRESS = const FAULT_ADDRESS,
            ))
        }
    }

    fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
        choose!(Bare::cpuid(leaf, subleaf), Xen::cpuid(leaf, subleaf))
    }

    /// # Safety
    /// As [`CpuOps::load_user`] asks.
    #[inline]
    unsafe fn load_user(previous: &UserContext, next: &UserContext) {
        arch::keeping_registers!(changing rax rcx rdx: keeping_for_xen, load_user_of_xen, ["push {next}", "push {previous}"]);
        // SAFETY: the caller vouches for the same.
        unsafe {
            choose!(
                Bare::load_user(previous, next),
                asm!(
                    "push {next}",
                    "push {previous}",
                    "call {load}",
                    previous = in(reg) previous, next = in(reg) next, load = sym keeping_for_xen,
                    out("rax") _, out("rcx") _, out("rdx") _,
                )
            )
        }
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

/// Xen's operation, as a function for assembly code.
///
/// # Safety
/// As [`CpuOps::load_user`] asks.
unsafe extern "sysv64" fn load_user_of_xen(previous: &UserContext, next: &UserContext) {
    // SAFETY: the caller vouches for the same.
    unsafe { Xen::load_user(previous, next) };
}

/// `frame` with the selectors that programs have under Xen.
fn with_selectors_of_xen(frame: &TrapFrame) -> TrapFrame {
    TrapFrame {
        cs: Xen::USER_CODE.into(),
        ss: Xen::USER_STACK.into(),
        ..frame.clone()
    }
}
