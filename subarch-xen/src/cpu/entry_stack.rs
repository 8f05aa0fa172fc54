//! Where Xen puts its frame when it comes from user mode.
//!
//! Xen wants to be told a stack for that, by a hypercall, and each thread has its own. To tell it at every switch costs 300
//! instructions. So it is told once: a few words in the CPU's area, on which no code runs. The stubs take the stack of the thread
//! from another word of the area, where a switch puts it by a single store, and carry the frame over.
//!
//! Between Xen's last push and the stub's first instruction the processor is in the kernel, on this stack. Events are masked
//! and no instruction faults, but a non-maskable interrupt or a machine check may come even then. Their frame goes below, and
//! their stubs look whether they are on this stack; if so, they leave it for the thread's like any other entry.

use arch::VirtAddr;
use arch::percpu::{KERNEL_STACK_OFFSET, PerCpu, PerCpuVar, USER_STACK_OFFSET};
use core::arch::asm;
use core::cell::UnsafeCell;

/// Bytes of the stack: a frame has at most 13 words, and three may meet.
pub const SIZE: usize = 384;

/// Offset from the GS base of the stack on which the kernel goes on, the thread's.
pub const NEXT_STACK: usize = KERNEL_STACK_OFFSET;

/// Offset from the GS base of the address at which the entry stack ends. On other platforms the word keeps a program's stack
/// pointer; Xen has put that into its frame.
pub const END: usize = USER_STACK_OFFSET;

/// The stack of one CPU.
#[repr(C, align(16))]
#[derive(Debug)]
struct EntryStack(UnsafeCell<[u8; SIZE]>);

// SAFETY: nobody refers to the bytes but Xen and the stubs, on the stack's own CPU.
unsafe impl Sync for EntryStack {}

#[unsafe(link_section = ".percpu")]
static STACK: PerCpuVar<EntryStack> = PerCpuVar::new(EntryStack(UnsafeCell::new([0; SIZE])));

/// Where the entry stack of the CPU that `area` is for ends.
pub fn end(area: &'static PerCpu) -> u64 {
    STACK.of(area).0.get() as u64 + SIZE as u64
}

/// Remembers on this CPU where its own ends.
pub fn remember_end() {
    // SAFETY: GS is this CPU's area, and the word is the platform's.
    unsafe {
        asm!("mov gs:[{END}], {}", in(reg) end(PerCpu::current()), END = const END, options(nostack, preserves_flags))
    };
}

/// Has this CPU go on at `stack` when it next comes from user mode.
///
/// # Safety
/// The stack is mapped, and nobody else's as long as this CPU may come from user mode.
#[inline(always)]
pub unsafe fn go_on_at(stack: VirtAddr) {
    // SAFETY: GS is this CPU's area; the caller vouches for the stack.
    unsafe {
        asm!("mov gs:[{NEXT_STACK}], {}", in(reg) stack.as_u64(), NEXT_STACK = const NEXT_STACK, options(nostack, preserves_flags));
    }
}
