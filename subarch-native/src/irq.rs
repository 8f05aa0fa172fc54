//! Masking interrupts: the flag in RFLAGS that the processor itself looks at.
//!
//! Nothing can come between, nothing has to be asked first, and each operation is as long as its instruction. This file is
//! what the other two platforms are measured by: Xen's store into shared memory and a VMI ROM's patched site are good as far
//! as they come close to one `cli` of one byte.
//!
//! What the compiler must know of these instructions matters as much as what the processor does. None of them may be moved
//! across a memory access, or data would be touched outside the section that masking was to protect. So none is declared
//! `nomem`, here or in the `x86_64` crate's wrappers, although none touches memory.

use crate::Native;
use arch::IrqOps;
use core::arch::asm;
use x86_64::instructions::interrupts;

/// The interrupt flag, IF (Intel SDM, vol. 1, fig. 3-8).
pub const INTERRUPT_FLAG: u64 = 1 << 9;

impl IrqOps for Native {
    type Flags = u64;

    #[inline(always)]
    fn disable() {
        interrupts::disable();
    }

    #[inline(always)]
    fn enable() {
        // SAFETY: the core decides when handlers may run. By the bare instruction and not the `x86_64` crate's wrapper, which adds
        // a `nop` for the shadow of `sti`; the core knows of it.
        unsafe { asm!("sti", options(nostack, preserves_flags)) };
    }

    #[inline(always)]
    fn flags() -> u64 {
        let flags;
        // SAFETY: pushes eight bytes below the stack pointer and takes them back; there is no red zone. Memory accesses are
        // kept from moving across it, as across `disable`.
        unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags)) };
        flags
    }

    #[inline(always)]
    fn masked(flags: u64) -> bool {
        flags & INTERRUPT_FLAG == 0
    }

    #[inline(always)]
    fn enable_and_halt() {
        // SAFETY: the core has tested that there is nothing to do. `hlt` stands in the shadow of `sti`: no interrupt is taken between
        // the two. Those that end the stop run handlers, so memory accesses must not move across it, as the `x86_64` crate's
        // wrapper would let them.
        unsafe { asm!("sti", "hlt", options(nostack, preserves_flags)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_mode_of_the_host_runs_unmasked() {
        assert!(!Native::masked(Native::flags()));
        assert!(Native::masked(0));
    }
}
