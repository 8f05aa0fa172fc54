//! Segments, or what long mode has left of them: selectors with a privilege level, the FS and GS bases, and a table of stacks.
//!
//! Each CPU has its own tables, since the task state segment holds the CPU's own stacks and a descriptor table has room for a
//! pointer to one. Both live in the CPU's area, which is known before anything else of it.
//!
//! The order of the four descriptors is not free: SYSCALL and SYSRET know two selectors and find the others by their distance from
//! these (AMD64 manual, vol. 2, 6.1.1). Kernel data follows kernel code, and the program's code follows its data.

use super::stacks;
use arch::VirtAddr;
use arch::percpu::{KERNEL_STACK_OFFSET, PerCpu, PerCpuVar};
use core::arch::asm;
use core::cell::UnsafeCell;
use spin::Once;
use x86_64::PrivilegeLevel::{Ring0, Ring3};
use x86_64::instructions::segmentation::{CS, DS, ES, FS, GS, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::registers::model_specific::{GsBase, KernelGsBase};
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;

/// The selectors, by the order in which [`Tables::new`] makes the descriptors.
const CODE: SegmentSelector = SegmentSelector::new(1, Ring0);
const DATA: SegmentSelector = SegmentSelector::new(2, Ring0);
const PROGRAM_DATA: SegmentSelector = SegmentSelector::new(3, Ring3);
const PROGRAM_CODE: SegmentSelector = SegmentSelector::new(4, Ring3);
const TASK_SELECTOR: SegmentSelector = SegmentSelector::new(5, Ring0);

/// The selector in CS while a program runs.
pub const USER_CODE: u16 = PROGRAM_CODE.0;

/// The selector in SS while a program runs.
pub const USER_STACK: u16 = PROGRAM_DATA.0;

/// What the register of SYSCALL's and SYSRET's selectors holds: in the upper half what SYSRET counts from (AMD64 manual, vol. 2,
/// fig. 6-1).
pub(super) const SYSTEM_CALL_SELECTORS: u64 = {
    let sysret = DATA.0 | Ring3 as u16;
    assert!(CODE.0 + 8 == DATA.0 && sysret + 8 == PROGRAM_DATA.0 && sysret + 16 == PROGRAM_CODE.0);
    (sysret as u64) << 48 | (CODE.0 as u64) << 32
};

/// The task state segment, of which 64-bit mode uses only the stacks, and the place where permissions for I/O ports would begin. That is
/// behind its end: programs have none.
#[unsafe(link_section = ".percpu")]
pub static TASK_STATE: PerCpuVar<TaskState> = PerCpuVar::new(TaskState(UnsafeCell::new(TaskStateSegment::new())));

/// What is loaded.
#[unsafe(link_section = ".percpu")]
static TABLES: PerCpuVar<Once<Tables>> = PerCpuVar::new(Once::new());

/// A task state segment, which the processor reads whenever it changes stacks.
#[derive(Debug)]
pub struct TaskState(UnsafeCell<TaskStateSegment>);

// SAFETY: written by its own CPU only, before it is loaded or by single stores with interrupts masked.
unsafe impl Sync for TaskState {}

/// Loads segments and task state of the executing CPU, and `area` as its area.
///
/// # Safety
/// Called once by each CPU, with interrupts masked, before it looks at its area. `area` was prepared for it.
pub unsafe fn load_segments(area: &'static PerCpu) {
    let tables = TABLES.of(area).call_once(|| Tables::new(area));
    tables.descriptors.load();
    // SAFETY: the selectors are those of the table just loaded. Null selectors are what long mode wants for data. Nobody
    // uses the per-CPU area yet, as the caller promises. The second GS base is that of programs, who all have zero.
    unsafe {
        CS::set_reg(CODE);
        SS::set_reg(DATA);
        DS::set_reg(SegmentSelector::NULL);
        ES::set_reg(SegmentSelector::NULL);
        FS::set_reg(SegmentSelector::NULL);
        GS::set_reg(SegmentSelector::NULL);
        load_tss(TASK_SELECTOR);
        GsBase::write(VirtAddr::from_ptr(area));
        KernelGsBase::write(VirtAddr::zero());
    }
}

/// The selector of the kernel's code, the same on every CPU.
pub const fn code_segment() -> u16 {
    CODE.0
}

/// The task state segment of this CPU.
#[inline(always)]
pub fn task_state() -> *mut TaskStateSegment {
    // SAFETY: only its address is taken.
    unsafe { TASK_STATE.this() }.0.get()
}

/// Makes `end` the stack on which this CPU enters the kernel from user mode by a system call. By a trap, it is the one in
/// [`task_state`], to be told together with this.
///
/// # Safety
/// The stack is mapped, and nobody else's as long as user mode runs. Interrupts are masked.
#[inline(always)]
pub unsafe fn set_system_call_stack(end: VirtAddr) {
    // SAFETY: GS is this CPU's area, where the stub of system calls looks; the caller vouches for the stack.
    unsafe {
        asm!("mov gs:[{offset}], {}", in(reg) end.as_u64(), offset = const KERNEL_STACK_OFFSET,
             options(nostack, preserves_flags));
    }
}

/// Makes `end` the stack on which this CPU enters the kernel from user mode by a trap.
///
/// # Safety
/// As for [`set_system_call_stack`].
#[inline(always)]
pub(super) unsafe fn set_trap_stack(end: VirtAddr) {
    // SAFETY: nobody else writes there, and the processor does not read it while interrupts are masked in the kernel. The field
    // is not aligned.
    unsafe { (&raw mut (*task_state()).privilege_stack_table[0]).write_unaligned(end) };
}

/// The descriptor table.
struct Tables {
    descriptors: GlobalDescriptorTable,
}

impl Tables {
    /// Makes it for the CPU of `area`.
    fn new(area: &'static PerCpu) -> Self {
        let task = TASK_STATE.of(area).0.get();
        let mut descriptors = GlobalDescriptorTable::new();
        // SAFETY: the CPU has not loaded the segment yet, so only this code knows it; the area lives for ever.
        let selectors = unsafe {
            for (entry, stack) in stacks::of(area.cpu()).into_iter().enumerate() {
                (*task).interrupt_stack_table[entry] = stack.end;
            }
            [
                descriptors.append(Descriptor::kernel_code_segment()),
                descriptors.append(Descriptor::kernel_data_segment()),
                descriptors.append(Descriptor::user_data_segment()),
                descriptors.append(Descriptor::user_code_segment()),
                descriptors.append(Descriptor::tss_segment_unchecked(task)),
            ]
        };
        debug_assert_eq!(selectors, [CODE, DATA, PROGRAM_DATA, PROGRAM_CODE, TASK_SELECTOR]);
        Self { descriptors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_those_that_the_border_and_sysret_know() {
        assert_eq!((CODE.0, DATA.0, USER_STACK, USER_CODE), (0x08, 0x10, 0x1b, 0x23));
        assert_eq!(SYSTEM_CALL_SELECTORS, 0x0013_0008_0000_0000);
    }

    #[test]
    fn descriptors_stand_at_their_selectors_with_their_privilege() {
        let mut table = GlobalDescriptorTable::<8>::empty();
        let order = [
            Descriptor::kernel_code_segment(),
            Descriptor::kernel_data_segment(),
            Descriptor::user_data_segment(),
            Descriptor::user_code_segment(),
        ];
        let selectors = order.map(|descriptor| table.append(descriptor));
        assert_eq!(selectors, [CODE, DATA, PROGRAM_DATA, PROGRAM_CODE]);
    }

    #[test]
    fn programs_have_no_permission_for_any_port() {
        let task = TaskStateSegment::new();
        assert!(usize::from(task.iomap_base) >= size_of::<TaskStateSegment>());
    }
}
