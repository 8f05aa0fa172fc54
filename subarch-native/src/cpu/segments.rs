//! Segments, or what long mode has left of them: a code selector, the GS base, and stacks for the worst moments.
//!
//! A double fault usually means that the stack is gone, and a non-maskable interrupt may hit at any instruction. Both
//! therefore get stacks of their own through the task state segment, each with a guard page like any other.

use arch::percpu::{CpuId, PerCpu};
use arch::stack::GuardedStack;
use arch::{Exception, VirtAddr};
use spin::Once;
use x86_64::instructions::segmentation::{CS, DS, ES, FS, GS, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::registers::model_specific::GsBase;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;

/// Loads segments, task state and per-CPU area of the boot CPU.
///
/// # Safety
/// Called once, by the boot CPU, with interrupts masked, before anything looks at the per-CPU area.
pub unsafe fn load_segments() {
    let tables = TABLES.call_once(Tables::new);
    tables.descriptors.load();
    // SAFETY: the selectors are those of the table just loaded. Null selectors are what long mode wants for data. Nobody
    // uses the per-CPU area yet, as the caller promises.
    unsafe {
        CS::set_reg(tables.code);
        SS::set_reg(tables.data);
        DS::set_reg(SegmentSelector::NULL);
        ES::set_reg(SegmentSelector::NULL);
        FS::set_reg(SegmentSelector::NULL);
        GS::set_reg(SegmentSelector::NULL);
        load_tss(tables.task);
        GsBase::write(VirtAddr::new(BOOT_CPU.prepare()));
    }
}

/// The selector of the kernel's code, once the segments are loaded.
pub fn code_segment() -> u16 {
    TABLES.get().map_or(0, |tables| tables.code.0)
}

/// Which stack of the task state segment `vector` runs on; 0 is the interrupted one.
pub fn stack_of(vector: u8) -> u8 {
    const NON_MASKABLE_INTERRUPT: u8 = 2;
    match vector {
        NON_MASKABLE_INTERRUPT => 1,
        vector if Exception(vector) == Exception::DOUBLE_FAULT => 2,
        _ => 0,
    }
}

/// The pages below the stacks for exceptions, which must not be mapped.
pub(crate) fn guard_pages() -> [VirtAddr; 2] {
    STACKS.each_ref().map(GuardedStack::guard_page)
}

/// The boot CPU's own area.
static BOOT_CPU: PerCpu = PerCpu::new(CpuId(0));

/// The stacks that [`stack_of`] counts from 1.
static STACKS: [GuardedStack<EXCEPTION_STACK_SIZE>; 2] = [GuardedStack::new(), GuardedStack::new()];

/// Room for a register dump with a backtrace, formatted by an unoptimised kernel.
const EXCEPTION_STACK_SIZE: usize = 16 * 1024;

/// The task state segment, of which 64-bit mode uses only the stacks.
static TASK: Once<TaskStateSegment> = Once::new();

/// What is loaded.
static TABLES: Once<Tables> = Once::new();

/// The descriptor table and the selectors into it.
struct Tables {
    descriptors: GlobalDescriptorTable,
    code: SegmentSelector,
    data: SegmentSelector,
    task: SegmentSelector,
}

impl Tables {
    /// Puts them together; the order of the descriptors makes the selectors.
    fn new() -> Self {
        let task = TASK.call_once(|| {
            let mut task = TaskStateSegment::new();
            let [first, second] = STACKS.each_ref().map(|stack| stack.range().end);
            task.interrupt_stack_table[0] = first;
            task.interrupt_stack_table[1] = second;
            task
        });
        let mut descriptors = GlobalDescriptorTable::new();
        Self {
            code: descriptors.append(Descriptor::kernel_code_segment()),
            data: descriptors.append(Descriptor::kernel_data_segment()),
            task: descriptors.append(Descriptor::tss_segment(task)),
            descriptors,
        }
    }
}
