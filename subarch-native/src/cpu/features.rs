//! Control registers: every protection that the processor offers, switched on.

use super::cpuid;
use bitflags::bitflags;
use x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags, Efer, EferFlags};
use x86_64::registers::model_specific::Msr;

bitflags! {
    /// What this kernel uses if the processor has it.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Features: u32 {
        /// Pages without the right to execute.
        const NO_EXECUTE = 1 << 0;
        /// Translations that survive a switch of the address space.
        const GLOBAL_PAGES = 1 << 1;
        /// Pages of 1 GiB.
        const GIGABYTE_PAGES = 1 << 2;
        /// No execution of user pages by the kernel (SMEP).
        const EXECUTION_PREVENTION = 1 << 3;
        /// No access to user pages by the kernel, unless it says so (SMAP).
        const ACCESS_PREVENTION = 1 << 4;
        /// No look at the descriptor tables by user mode (UMIP).
        const INSTRUCTION_PREVENTION = 1 << 5;
        /// Memory types by page (PAT).
        const ATTRIBUTE_TABLE = 1 << 6;
        /// A local APIC.
        const LOCAL_APIC = 1 << 7;
        /// A cycle counter.
        const CYCLE_COUNTER = 1 << 8;
    }
}

impl Features {
    /// Asks the processor (Intel SDM, vol. 2, "CPUID", tables 3-8 to 3-11).
    pub fn detect() -> Self {
        let basic = cpuid(1, 0);
        let structured = if cpuid(0, 0).eax >= 7 { Some(cpuid(7, 0)) } else { None };
        let (prevention, more_prevention) = structured.map_or((0, 0), |leaf| (leaf.ebx, leaf.ecx));
        let extended = cpuid(0x8000_0001, 0);
        [
            (extended.edx >> 20, Self::NO_EXECUTE),
            (basic.edx >> 13, Self::GLOBAL_PAGES),
            (extended.edx >> 26, Self::GIGABYTE_PAGES),
            (prevention >> 7, Self::EXECUTION_PREVENTION),
            (prevention >> 20, Self::ACCESS_PREVENTION),
            (more_prevention >> 2, Self::INSTRUCTION_PREVENTION),
            (basic.edx >> 16, Self::ATTRIBUTE_TABLE),
            (basic.edx >> 9, Self::LOCAL_APIC),
            (basic.edx >> 4, Self::CYCLE_COUNTER),
        ]
        .into_iter()
        .filter(|(register, _)| register & 1 == 1)
        .map(|(_, feature)| feature)
        .collect()
    }

    /// The bits of CR4 that the kernel wants set on this processor.
    fn control(self) -> Cr4Flags {
        [
            (Self::GLOBAL_PAGES, Cr4Flags::PAGE_GLOBAL),
            (
                Self::EXECUTION_PREVENTION,
                Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION,
            ),
            (Self::ACCESS_PREVENTION, Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION),
            (Self::INSTRUCTION_PREVENTION, Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION),
        ]
        .into_iter()
        .filter(|(feature, _)| self.contains(*feature))
        .map(|(_, bit)| bit)
        .collect()
    }
}

/// Whether a hypervisor says that there is one (bit 31 of ECX of leaf 1, which processors keep clear).
pub fn under_hypervisor() -> bool {
    cpuid(1, 0).ecx >> 31 == 1
}

/// Sets this CPU's control registers as the kernel wants them, as far as the processor has `features`.
///
/// # Safety
/// The page tables in use are the kernel's own: nothing it needs is in a user page, or writable only because writes in
/// ring 0 ignored the tables until now.
pub unsafe fn set_up(features: Features) {
    // SAFETY: the caller vouches for the page tables; each bit is one that the processor has.
    unsafe {
        if features.contains(Features::NO_EXECUTE) {
            Efer::update(|flags| flags.insert(EferFlags::NO_EXECUTE_ENABLE));
        }
        if features.contains(Features::ATTRIBUTE_TABLE) {
            Msr::new(PAGE_ATTRIBUTE_TABLE).write(MEMORY_TYPES);
        }
        Cr0::update(|flags| flags.insert(Cr0Flags::WRITE_PROTECT | Cr0Flags::NUMERIC_ERROR));
        Cr4::update(|flags| flags.insert(features.control()));
    }
}

/// The register that says which memory type each of a page's eight combinations of cache bits means.
const PAGE_ATTRIBUTE_TABLE: u32 = 0x277;

/// The memory types at reset, except that number 1 (a page's write-through bit) means write-combining (1) instead of
/// write-through (4), which nobody needs (Intel SDM, vol. 3, tables 13-10 and 13-12).
const MEMORY_TYPES: u64 = 0x0007_0406_0007_0106;
