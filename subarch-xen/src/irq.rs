//! Masking events: the interrupt flag that is a byte in memory.
//!
//! A PV kernel runs in ring 3, where `cli` is forbidden. Xen looks at `upcall_mask` of the virtual CPU's `vcpu_info`
//! instead, and in 2006 that was the pain of every Xen port: *which* CPU's, if the task may be moved between finding the
//! byte and writing it? The answer was a preemption guard around every `cli`, too large to patch in line. Here the byte is
//! at offset 1 of the area GS points to, so finding and writing it are one instruction, and the question does not arise.
//!
//! Only unmasking has a second half. An event that came meanwhile was not delivered, and Xen will not do it unasked, since
//! it cannot see a store; but every hypercall ends with a look at the byte. So: clear, test, and rarely a hypercall.

use crate::Xen;
use crate::hypercall::{Granted, sched, version};
use arch::IrqOps;
use arch::percpu::PLATFORM_OFFSET;
use core::arch::asm;
use xen_abi::vcpu_info;

/// Offset from the GS base of the byte that masks.
pub const UPCALL_MASK: usize = PLATFORM_OFFSET + vcpu_info::UPCALL_MASK;
/// Offset from the GS base of the byte that Xen sets when an event waits.
pub const UPCALL_PENDING: usize = PLATFORM_OFFSET + vcpu_info::UPCALL_PENDING;

/// `upcall_mask` at some moment: zero if events were unmasked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags(u8);

/// What each operation is in the image:
///
/// | operation | instructions |
/// |---|---|
/// | `disable` | `65 c6 04 25 01 00 00 00 01` |
/// | `enable` | `65 c6 04 25 01 00 00 00 00`, `65 80 3c 25 00 00 00 00 00`, and a jump that is rarely taken |
/// | `flags` | `65 8a 04 25 01 00 00 00`, to whichever register suits |
/// | `restore` | a test of the register, then perhaps `enable` |
/// | `enable_and_halt` | the hypercall, which does both as one step |
impl IrqOps for Xen {
    type Flags = Flags;

    #[inline(always)]
    fn disable() {
        // SAFETY: GS is this CPU's area from `boot` on, and its head is the `vcpu_info` registered for this very CPU.
        // One instruction: there is no point at which a preemption could separate the address from the store.
        unsafe {
            asm!("mov byte ptr gs:[{mask}], 1", mask = const UPCALL_MASK, options(nostack, preserves_flags));
        }
    }

    #[inline(always)]
    fn enable() {
        // SAFETY: as in `disable`. A move to another CPU between the instructions is harmless: what waits on the one we
        // left was delivered when it was left, and asking twice on the new one does nothing. Nor can the processor hurt by
        // testing before the store is seen: Xen interrupts a CPU that it leaves an event for.
        unsafe {
            asm!(
                "mov byte ptr gs:[{mask}], 0",
                "cmp byte ptr gs:[{pending}], 0",
                "jne {deliver}",
                mask = const UPCALL_MASK,
                pending = const UPCALL_PENDING,
                deliver = label { deliver() },
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn flags() -> Flags {
        let mask: u8;
        // SAFETY: as in `disable`; a read.
        unsafe {
            asm!("mov {}, gs:[{mask}]", out(reg_byte) mask, mask = const UPCALL_MASK, options(nostack, preserves_flags, readonly));
        }
        Flags(mask)
    }

    #[inline(always)]
    fn masked(flags: Flags) -> bool {
        flags.0 != 0
    }

    #[inline(always)]
    fn enable_and_halt() {
        sched::block().granted();
    }
}

/// Enters Xen for nothing, which on the way back delivers what is pending.
#[cold]
#[inline(never)]
pub fn deliver() {
    version::version().granted();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_mask_but_zero_masks() {
        assert!(!Xen::masked(Flags(0)));
        assert!(Xen::masked(Flags(1)) && Xen::masked(Flags(0xff)));
    }

    #[test]
    fn the_offsets_are_those_of_the_design() {
        assert_eq!((UPCALL_PENDING, UPCALL_MASK), (0, 1));
    }
}
