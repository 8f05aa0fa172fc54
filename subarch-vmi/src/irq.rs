//! Masking interrupts: three instructions of bare metal, or whatever a ROM has for a flag.
//!
//! The sites that set, clear and read the flag have nine bytes, room enough for a store relative to GS. So a ROM that keeps the flag in
//! its bytes of the per-CPU area gets at it in one instruction, at this very place.

use crate::Vmi;
use crate::site::site;
use arch::IrqOps;
use vmi64::values::INTERRUPT_FLAG;

impl IrqOps for Vmi {
    type Flags = u64;

    #[inline(always)]
    fn disable() {
        // SAFETY: masking interrupts breaks no promise. A ROM changes the flags register and nothing else.
        unsafe { site!(DisableInterrupts, "cli") }
    }

    #[inline(always)]
    fn enable() {
        // SAFETY: the boot code has installed handlers for what may be delivered here. Registers as above.
        unsafe { site!(EnableInterrupts, "sti") }
    }

    #[inline(always)]
    fn flags() -> u64 {
        let flags;
        // SAFETY: reads the flag into RAX and changes nothing else; the red zone is not used in a kernel.
        unsafe { site!(GetInterruptMask, "pushfq\npop rax", out("rax") flags) }
        flags
    }

    #[inline(always)]
    fn masked(flags: u64) -> bool {
        flags & INTERRUPT_FLAG == 0
    }

    #[inline(always)]
    fn restore(flags: u64) {
        // SAFETY: brings back a state that was this CPU's. A ROM changes the flags register and nothing else.
        unsafe { site!(SetInterruptMask, "push rdi\npopfq", in("rdi") flags) }
    }

    #[inline(always)]
    fn enable_and_halt() {
        // SAFETY: as for `enable`; the stop ends with the next interrupt.
        unsafe { site!(Halt, "sti\nhlt", clobber_abi("sysv64")) }
    }
}
