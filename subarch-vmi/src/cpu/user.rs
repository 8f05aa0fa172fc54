//! The door to user mode, from the kernel's side: three calls that tell where it leads, one that goes through.

use super::by_rom;
use crate::detour::detour;
use crate::site;
use arch::{Pfn, TrapFrame, UserContext, VirtAddr, percpu};
use core::arch::naked_asm;
use subarch_native::cpu::{TASK_STATE, set_system_call_stack};
use subarch_native::mmu::kernel_root;
use vmi64::Call;

/// The register of the FS base (Intel SDM, vol. 4, table 2-2, `IA32_FS_BASE`).
const FS_BASE: u32 = 0xc000_0100;

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
            set_root(next.root.unwrap_or_else(kernel_root));
        }
        if next.kernel_stack != previous.kernel_stack {
            set_system_call_stack(next.kernel_stack);
            set_trap_stack(next.kernel_stack);
        }
        if previous.fs_base | next.fs_base != 0 {
            set_fs_base(next.fs_base);
        }
    }
}

/// Makes `root` this CPU's page tables.
///
/// # Safety
/// They show the running code, its stack and all that it uses as the current ones do.
#[inline(always)]
unsafe fn set_root(root: Pfn) {
    // SAFETY: the caller vouches for the tables.
    unsafe {
        detour!(
            SetCR3, 2, "mov cr3, {root}",
            by_rom::set_root, ["push {root}"],
            root = in(reg) root.address(),
            options(nostack),
        );
    }
}

/// Makes traps from user mode arrive on the stack that ends at `stack`.
///
/// # Safety
/// It is mapped and nobody else's. Interrupts are masked.
#[inline(always)]
unsafe fn set_trap_stack(stack: VirtAddr) {
    // SAFETY: the task state is this CPU's, which cannot change meanwhile; the caller vouches for the stack.
    unsafe {
        detour!(
            UpdateKernelStack, 1, "mov [{distance} + {TASK_STATE} + 4], {stack}",
            by_rom::set_trap_stack, ["push {stack}"],
            distance = in(reg) percpu::distance(), TASK_STATE = sym TASK_STATE, stack = in(reg) stack.as_u64(),
            options(nostack),
        );
    }
}

/// Makes `base` the base of FS.
///
/// # Safety
/// It is an address of user mode's half.
#[inline(always)]
unsafe fn set_fs_base(base: u64) {
    // SAFETY: every 64-bit processor has the register, and it is nothing to the kernel.
    unsafe {
        detour!(
            Wrmsr, 3, "wrmsr",
            by_rom::set_register, ["push rdx", "push rax", "push rcx"],
            in("ecx") FS_BASE, in("eax") base as u32, in("edx") (base >> 32) as u32,
            options(nostack),
        );
    }
}

/// A frame at whose end the stack is aligned as the processor aligns it, which a ROM may rely on.
#[repr(C, align(16))]
struct AlignedFrame(TrapFrame);

/// What [`CpuOps::enter_user`](arch::CpuOps::enter_user) is here.
///
/// # Safety
/// As there.
pub(super) unsafe fn enter(frame: &TrapFrame) -> ! {
    let frame = AlignedFrame(frame.clone());
    // SAFETY: the caller's promises are those that this asks for.
    unsafe { leave_by(&frame) }
}

/// The end of a trap that never began.
///
/// # Safety
/// As [`CpuOps::enter_user`](arch::CpuOps::enter_user).
#[unsafe(naked)]
unsafe extern "C" fn leave_by(frame: &AlignedFrame) -> ! {
    naked_asm!(
        "mov rsp, rdi",
        arch::restore_registers!(),
        crate::interrupt_return!(),
        iret_padding = const Call::IRET.padding(),
        iret_call = const Call::IRET.number(),
        iret_count = const site::counter(Call::IRET),
    )
}
