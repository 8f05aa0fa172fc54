//! Segments, or what long mode has left of them: a code selector, the GS base, and a table of stacks.
//!
//! Each CPU has its own tables, since the task state segment holds the CPU's own stacks and a descriptor table has room for a
//! pointer to one. Both live in the CPU's area, which is known before anything else of it.

use super::stacks;
use arch::VirtAddr;
use arch::percpu::{PerCpu, PerCpuVar};
use spin::Once;
use x86_64::PrivilegeLevel::Ring0;
use x86_64::instructions::segmentation::{CS, DS, ES, FS, GS, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::registers::model_specific::GsBase;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;

/// The kernel's code segment: the first of [`Tables`].
const CODE: SegmentSelector = SegmentSelector::new(1, Ring0);

/// The task state segment, of which 64-bit mode uses only the stacks.
#[unsafe(link_section = ".percpu")]
static TASK: PerCpuVar<Once<TaskStateSegment>> = PerCpuVar::new(Once::new());

/// What is loaded.
#[unsafe(link_section = ".percpu")]
static TABLES: PerCpuVar<Once<Tables>> = PerCpuVar::new(Once::new());

/// Loads segments and task state of the executing CPU, and `area` as its area.
///
/// # Safety
/// Called once by each CPU, with interrupts masked, before it looks at its area. `area` was prepared for it.
pub unsafe fn load_segments(area: &'static PerCpu) {
    let tables = TABLES.of(area).call_once(|| Tables::new(area));
    tables.descriptors.load();
    // SAFETY: the selectors are those of the table just loaded. Null selectors are what long mode wants for data. Nobody
    // uses the per-CPU area yet, as the caller promises.
    unsafe {
        CS::set_reg(CODE);
        SS::set_reg(tables.data);
        DS::set_reg(SegmentSelector::NULL);
        ES::set_reg(SegmentSelector::NULL);
        FS::set_reg(SegmentSelector::NULL);
        GS::set_reg(SegmentSelector::NULL);
        load_tss(tables.task);
        GsBase::write(VirtAddr::from_ptr(area));
    }
}

/// The selector of the kernel's code, the same on every CPU.
pub const fn code_segment() -> u16 {
    CODE.0
}

/// The descriptor table and the selectors into it.
struct Tables {
    descriptors: GlobalDescriptorTable,
    data: SegmentSelector,
    task: SegmentSelector,
}

impl Tables {
    /// Puts them together for the CPU of `area`; the order of the descriptors makes the selectors.
    fn new(area: &'static PerCpu) -> Self {
        let task = TASK.of(area).call_once(|| {
            let mut task = TaskStateSegment::new();
            let [first, second] = stacks::of(area.cpu());
            task.interrupt_stack_table[0] = first.end;
            task.interrupt_stack_table[1] = second.end;
            task
        });
        let mut descriptors = GlobalDescriptorTable::new();
        let code = descriptors.append(Descriptor::kernel_code_segment());
        debug_assert_eq!(code, CODE);
        Self {
            data: descriptors.append(Descriptor::kernel_data_segment()),
            task: descriptors.append(Descriptor::tss_segment(task)),
            descriptors,
        }
    }
}
