//! The door to user mode, from the kernel's side.

use super::segments::{set_system_call_stack, set_trap_stack};
use crate::mmu;
use arch::{TrapFrame, UserContext, VirtAddr};
use core::arch::naked_asm;
use x86_64::registers::model_specific::FsBase;

/// What [`CpuOps::load_user`](arch::CpuOps::load_user) is here.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn load(previous: &UserContext, next: &UserContext) {
    // SAFETY: the caller vouches for root and stack, and that interrupts are masked. The kernel's half is the same under all
    // roots, and the FS base is nothing to the kernel.
    unsafe {
        if next.root != previous.root {
            mmu::switch(next.root.unwrap_or_else(mmu::kernel_root));
        }
        if next.kernel_stack != previous.kernel_stack {
            set_system_call_stack(next.kernel_stack);
            set_trap_stack(next.kernel_stack);
        }
        if previous.fs_base | next.fs_base != 0 {
            FsBase::write(VirtAddr::new_truncate(next.fs_base));
        }
    }
}

/// What [`CpuOps::enter_user`](arch::CpuOps::enter_user) is here: the end of a trap that never began.
///
/// # Safety
/// As there.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn enter(frame: &TrapFrame) -> ! {
    naked_asm!("mov rsp, rdi", arch::restore_registers!(), "swapgs", "iretq",)
}
