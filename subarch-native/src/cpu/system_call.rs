//! Where `syscall` leads, and with which flags.
//!
//! The instruction trusts three registers and saves next to nothing: it puts RIP and RFLAGS into RCX and R11, takes CS and SS from one
//! register and RIP from another, and clears the flags that a third names. The stack is still the program's when the kernel
//! begins to run.

use super::segments::SYSTEM_CALL_SELECTORS;
use arch::VirtAddr;
use x86_64::registers::model_specific::{Efer, EferFlags, Msr};
use x86_64::registers::rflags::RFlags;

/// The flags that are cleared on the way in: interrupts and single steps stay out, strings run forwards, SMAP holds, `iretq` returns to
/// where it is told, and the privilege for I/O is none.
const CLEARED_FLAGS: RFlags = RFlags::INTERRUPT_FLAG
    .union(RFlags::TRAP_FLAG)
    .union(RFlags::DIRECTION_FLAG)
    .union(RFlags::ALIGNMENT_CHECK)
    .union(RFlags::NESTED_TASK)
    .union(RFlags::IOPL_LOW)
    .union(RFlags::IOPL_HIGH)
    .union(RFlags::RESUME_FLAG);

/// The registers, and what they hold if system calls are to come to `stub` (AMD64 manual, vol. 2, 6.1.1).
pub fn system_call_registers(stub: VirtAddr) -> [(u32, u64); 3] {
    const STAR: u32 = 0xc000_0081;
    const LSTAR: u32 = 0xc000_0082;
    const SFMASK: u32 = 0xc000_0084;
    [
        (STAR, SYSTEM_CALL_SELECTORS),
        (LSTAR, stub.as_u64()),
        (SFMASK, CLEARED_FLAGS.bits()),
    ]
}

/// Has this CPU take system calls, at `stub`.
///
/// # Safety
/// The stub was made by [`system_call_stub!`](crate::system_call_stub!).
pub unsafe fn take_system_calls(stub: VirtAddr) {
    // SAFETY: every processor with 64-bit mode has these registers. Nobody runs in user mode yet, and the stub is one that
    // expects what they say.
    unsafe {
        for (register, value) in system_call_registers(stub) {
            Msr::new(register).write(value);
        }
        Efer::update(|flags| flags.insert(EferFlags::SYSTEM_CALL_EXTENSIONS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_flags_that_a_program_may_not_bring_along_are_cleared() {
        assert_eq!(CLEARED_FLAGS.bits(), 0x0005_7700);
    }

    #[test]
    fn registers_are_those_of_the_manual() {
        let stub = VirtAddr::new(0xffff_ffff_8000_1000);
        let values = system_call_registers(stub);
        assert_eq!(
            values.map(|(register, _)| register),
            [0xc000_0081, 0xc000_0082, 0xc000_0084]
        );
        assert_eq!(values[1].1, stub.as_u64());
    }
}
