//! Masking interrupts: three instructions of bare metal, or whatever a ROM has for a flag.
//!
//! The sites that set, clear and read the flag have nine bytes, room enough for a store relative to GS. So a ROM that keeps the flag in
//! its bytes of the per-CPU area gets at it in one instruction, at this very place.

use crate::Vmi;
use crate::detour::{answer, detour};
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
        // SAFETY: reads the flag and changes nothing else; there is no red zone below the stack pointer.
        unsafe { answer!(GetInterruptMask, 3, "pushfq\npop {answer}", "pushfq\npop rax") }
    }

    #[inline(always)]
    fn masked(flags: u64) -> bool {
        flags & INTERRUPT_FLAG == 0
    }

    #[inline(always)]
    fn enable_and_halt() {
        // SAFETY: as for `enable`; the stop ends with the next interrupt.
        unsafe { detour!(Halt, 3, "sti\nhlt", halt, [], options(nostack)) }
    }
}

/// Call 35.
extern "sysv64" fn halt() {
    // SAFETY: as for `enable`; the wait ends with the next interrupt.
    unsafe { site!(Halt, "sti\nhlt", clobber_abi("sysv64")) }
}
