//! What belongs to the executing CPU alone, apart from its interrupt mask.
//!
//! Small today: an emulated or real identity, and the address of the last page fault. The operations of user mode (kernel
//! stack, FS base, return to user) join this room together with the core code that calls them.

use core::arch::x86_64::CpuidResult;
use x86_64::VirtAddr;

/// Identity and fault state of the executing CPU.
pub trait CpuOps {
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
}
