//! Control registers: every protection that the processor offers, switched on.

use super::{cpuid, extended};
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
        /// A register that says which extended state there is (XSAVE and XCR0).
        const EXTENDED_STATE = 1 << 9;
        /// An exception for broken hardware, instead of a reset (MCE).
        const MACHINE_CHECK = 1 << 10;
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
            (basic.ecx >> 26, Self::EXTENDED_STATE),
            (basic.edx >> 7, Self::MACHINE_CHECK),
        ]
        .into_iter()
        .filter(|(register, _)| register & 1 == 1)
        .map(|(_, feature)| feature)
        .collect()
    }

    /// What the kernel wants in CR4 on this processor, of which the firmware left `before`.
    ///
    /// Every processor with 64-bit mode has SSE.
    fn control(self, before: Cr4Flags) -> Cr4Flags {
        let wanted: Cr4Flags = [
            (Self::GLOBAL_PAGES, Cr4Flags::PAGE_GLOBAL),
            (
                Self::EXECUTION_PREVENTION,
                Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION,
            ),
            (Self::ACCESS_PREVENTION, Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION),
            (Self::INSTRUCTION_PREVENTION, Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION),
            (Self::EXTENDED_STATE, Cr4Flags::OSXSAVE),
            (Self::MACHINE_CHECK, Cr4Flags::MACHINE_CHECK_EXCEPTION),
        ]
        .into_iter()
        .filter(|(feature, _)| self.contains(*feature))
        .map(|(_, bit)| bit)
        .collect();
        (before - UNWANTED) | wanted | Cr4Flags::OSFXSR | Cr4Flags::OSXMMEXCPT_ENABLE
    }
}

/// What programs are not to have, or to have: a GS base of their choice, which entries to the kernel could not tell from the
/// kernel's (FSGSBASE); the performance counters (PCE); and yes, the cycle counter (TSD takes it away).
const UNWANTED: Cr4Flags = Cr4Flags::FSGSBASE
    .union(Cr4Flags::PERFORMANCE_MONITOR_COUNTER)
    .union(Cr4Flags::TIMESTAMP_DISABLE);

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
        Cr0::update(|flags| *flags = main_control(*flags));
        Cr4::update(|flags| *flags = features.control(*flags));
        if features.contains(Features::EXTENDED_STATE) {
            extended::switch_on();
        }
    }
}

/// What the kernel wants in CR0, of which the firmware left `before`: writes that respect the tables, and an FPU that is there, does not
/// wait to be switched to, and reports errors as exceptions.
fn main_control(before: Cr0Flags) -> Cr0Flags {
    let unwanted = Cr0Flags::EMULATE_COPROCESSOR | Cr0Flags::TASK_SWITCHED;
    (before - unwanted) | Cr0Flags::WRITE_PROTECT | Cr0Flags::NUMERIC_ERROR | Cr0Flags::MONITOR_COPROCESSOR
}

/// The register that says which memory type each of a page's eight combinations of cache bits means.
const PAGE_ATTRIBUTE_TABLE: u32 = 0x277;

/// The memory types at reset, except that number 1 (a page's write-through bit) means write-combining (1) instead of
/// write-through (4), which nobody needs (Intel SDM, vol. 3, tables 13-10 and 13-12).
const MEMORY_TYPES: u64 = 0x0007_0406_0007_0106;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_the_extended_state_whatever_the_firmware_left() {
        let control = Features::empty().control(Cr4Flags::PHYSICAL_ADDRESS_EXTENSION | UNWANTED);
        assert_eq!(
            control,
            Cr4Flags::PHYSICAL_ADDRESS_EXTENSION | Cr4Flags::OSFXSR | Cr4Flags::OSXMMEXCPT_ENABLE
        );
        let fpu = main_control(Cr0Flags::EMULATE_COPROCESSOR | Cr0Flags::TASK_SWITCHED | Cr0Flags::PAGING);
        assert_eq!(fpu.bits(), 0x8001_0022);
    }

    #[test]
    fn a_bit_is_set_for_each_feature_and_for_no_other() {
        let none = Features::empty().control(Cr4Flags::empty());
        for (feature, bit) in [
            (Features::GLOBAL_PAGES, Cr4Flags::PAGE_GLOBAL),
            (Features::EXTENDED_STATE, Cr4Flags::OSXSAVE),
            (Features::ACCESS_PREVENTION, Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION),
            (Features::MACHINE_CHECK, Cr4Flags::MACHINE_CHECK_EXCEPTION),
        ] {
            assert_eq!(feature.control(Cr4Flags::empty()), none | bit);
        }
    }
}
