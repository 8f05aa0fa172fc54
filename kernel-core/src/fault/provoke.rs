//! Exceptions on demand, for whoever wants to see one reported.

use core::arch::asm;

/// Reads from address 0, where no page is: a page fault.
pub fn null_read() {
    // SAFETY: the read faults, and the kernel ends with a report.
    unsafe { asm!("mov rax, [0]", out("rax") _, options(readonly, nostack, preserves_flags)) };
}

/// Divides by zero.
pub fn division_by_zero() {
    // SAFETY: as above: it ends the kernel, and touches nothing but registers.
    unsafe { asm!("div {}", in(reg) 0u64, inout("rax") 1u64 => _, inout("rdx") 0u64 => _, options(nostack)) };
}

/// Executes an instruction that does not exist.
pub fn undefined_instruction() {
    // SAFETY: as above.
    unsafe { asm!("ud2", options(nostack)) };
}

/// Executes a breakpoint; the handler passes it, and execution continues behind.
pub fn breakpoint() {
    // SAFETY: the handler changes nothing.
    unsafe { asm!("int3", options(nostack)) };
}
