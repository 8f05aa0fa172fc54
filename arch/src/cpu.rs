//! What belongs to the executing CPU alone, apart from its interrupt mask.
//!
//! Its identity, the address of the last page fault, and the door to user mode. The kernel keeps user mode at arm's length: it never
//! touches memory by a program's addresses, so the protection against doing so by mistake (SMAP) is never lifted, and the door has
//! only two sides: [`load_user`](CpuOps::load_user) tells the CPU where it leads, [`enter_user`](CpuOps::enter_user) goes through.

use crate::trap::TrapFrame;
use crate::user::UserContext;
use core::arch::x86_64::CpuidResult;
use x86_64::VirtAddr;

/// Identity, fault state and user mode of the executing CPU.
pub trait CpuOps {
    /// The selector in CS while a program runs: what a new program's [`TrapFrame`] must say.
    const USER_CODE: u16;

    /// The selector in SS while a program runs.
    const USER_STACK: u16;

    /// The address whose access caused the page fault being handled.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `mov rax, cr2` | `mov rax, gs:[vcpu_info.arch.cr2]` | call 20, *GetCR2* |
    ///
    /// Meaningful only in a page-fault handler, before anything that may fault again.
    fn page_fault_address() -> VirtAddr;

    /// Reads one leaf of the processor's identification.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `cpuid` | `cpuid` behind Xen's forced-emulation prefix | call 0, *CPUID* |
    ///
    /// Afterwards nothing has changed. What a hypervisor hides from its guest is absent from the answer.
    fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult;

    /// Makes `next` what this CPU runs in user mode, instead of `previous`.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `mov cr3`, the stack in task state segment and per-CPU area, `wrmsr FS_BASE` | one `mmuext_op`: `MMUEXT_NEW_USER_BASEPTR` and a flush; the stack in the per-CPU area; `set_segment_base` | calls 17, 14 and 1 |
    ///
    /// The root and the stack are told only if they differ, and the FS base unless both are zero: a program may have changed
    /// the base behind the kernel's back by loading the selector, but only to zero. Called with interrupts masked; afterwards no cached
    /// translation of `previous` is used, if the roots differ. [`UserContext::NONE`] as `next` takes user mode away.
    ///
    /// # Safety
    /// `previous` was the last `next` on this CPU ([`UserContext::NONE`] at first). The root was given over and lives until this
    /// CPU has loaded another. The stack is mapped, and as long as user mode runs, nobody else's.
    unsafe fn load_user(previous: &UserContext, next: &UserContext);

    /// Goes to user mode with the registers in `frame`, leaving whatever is on the current stack for good.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `swapgs; iretq` | `HYPERVISOR_iret` | call 33, *IRET* |
    ///
    /// Called with interrupts masked; they are unmasked in user mode.
    ///
    /// # Safety
    /// The current thread's context is loaded. The frame's CS and SS are [`USER_CODE`](Self::USER_CODE) and
    /// [`USER_STACK`](Self::USER_STACK), RIP is below [`USER_END`](crate::layout::USER_END), RFLAGS are
    /// [`USER_FLAGS`](crate::user::USER_FLAGS) but for the arithmetic flags.
    unsafe fn enter_user(frame: &TrapFrame) -> !;

    /// Which components of the extended state (x87, SSE, AVX, …) programs may use, as the bits of XCR0 (Intel SDM, vol. 1, 13.1); zero if
    /// the processor has only `fxsave`, which knows the first two. All CPUs answer the same.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | what `xsetbv` was given at boot | the same, by Xen's leave | as native |
    ///
    /// The kernel itself uses none of these registers. It saves and restores them by the ordinary instructions, which need no
    /// privilege.
    fn extended_state() -> u64;
}
