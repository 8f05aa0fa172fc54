//! Masking interrupts: one instruction on either platform, in the same nine bytes.
//!
//! The state of the flag is a word: RFLAGS on a bare machine, Xen's mask byte under Xen. Nobody looks into it but the test that is patched to
//! know which of the two it is.

use super::site::{alternative, choose};
use super::{Bare, Paravirt};
use arch::IrqOps;
use core::arch::asm;
use subarch_xen::{UPCALL_MASK, UPCALL_PENDING, Xen, deliver};

cfg_if::cfg_if! {
    if #[cfg(feature = "vmi")] {
        use subarch_vmi::vmi64::Call;

        /// The record of a site that a ROM may change as well; its number is `site_call`.
        macro_rules! record_for_rom {
            () => { subarch_vmi::site_record!("site") };
        }

        const DISABLE: u64 = Call::DisableInterrupts.number();
        const ENABLE: u64 = Call::EnableInterrupts.number();
        const FLAGS: u64 = Call::GetInterruptMask.number();
    } else {
        /// There is no ROM to make a record for.
        macro_rules! record_for_rom {
            () => { "/* {site_call} */" };
        }

        const DISABLE: u64 = 0;
        const ENABLE: u64 = 0;
        const FLAGS: u64 = 0;
    }
}

impl IrqOps for Paravirt {
    type Flags = u64;

    #[inline(always)]
    fn disable() {
        // SAFETY: masking breaks no promise; under Xen GS is this CPU's area, whose head Xen shares.
        unsafe {
            asm!(
                alternative!([".fill 8, 1, 0x2e", "cli"], ["mov byte ptr gs:[{MASK}], 1"]),
                record_for_rom!(),
                site_call = const DISABLE,
                MASK = const UPCALL_MASK,
                options(nostack, preserves_flags),
            );
        }
    }

    #[inline(always)]
    fn enable() {
        // SAFETY: the boot code has installed handlers for what may be delivered here. Under Xen as above.
        unsafe {
            asm!(
                alternative!(
                    [".fill 8, 1, 0x2e", "sti", ".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0"],
                    [
                        "mov byte ptr gs:[{MASK}], 0",
                        "cmp byte ptr gs:[{PENDING}], 0",
                        ".byte 0x0f, 0x85",
                        ".long {deliver} - 772b"
                    ]
                ),
                record_for_rom!(),
                site_call = const ENABLE,
                MASK = const UPCALL_MASK,
                PENDING = const UPCALL_PENDING,
                deliver = label { deliver() },
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn flags() -> u64 {
        let flags: u64;
        // SAFETY: reads the flag and changes nothing else; there is no red zone below the stack pointer.
        unsafe {
            asm!(
                alternative!([".fill 7, 1, 0x2e", "pushfq", "pop rax"], ["movzx eax, byte ptr gs:[{MASK}]"]),
                record_for_rom!(),
                site_call = const FLAGS,
                MASK = const UPCALL_MASK,
                out("rax") flags,
                options(preserves_flags),
            );
        }
        flags
    }

    /// Of Xen's byte no other value than 0 and 1 is ever there: those are all that is written by anybody, Xen included.
    #[inline(always)]
    fn masked(flags: u64) -> bool {
        let mut masked = false;
        // SAFETY: a test of a register, and a jump to where this block says.
        unsafe {
            asm!(
                alternative!(["test {flags:e}, 0x200"], [".fill 2, 1, 0x2e", "cmp {flags:l}, 1"]),
                "jz {masked}",
                flags = in(reg) flags,
                masked = label { masked = true },
                options(nostack, nomem),
            );
        }
        masked
    }

    #[inline(always)]
    fn enable_and_halt() {
        choose!(Bare::enable_and_halt(), Xen::enable_and_halt());
    }
}
