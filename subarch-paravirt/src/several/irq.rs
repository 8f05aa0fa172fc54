//! Masking interrupts: one instruction on either platform, in the same nine bytes.
//!
//! The state of the flag is a word: RFLAGS on a bare machine, Xen's mask byte under Xen. Nobody looks into it but the test that is patched to
//! know which of the two it is.

use super::site::{answer, becomes, choose};
use super::{Bare, Paravirt};
use arch::IrqOps;
use core::arch::asm;
use subarch_xen::{UPCALL_MASK, UPCALL_PENDING, Xen, assembly};

cfg_if::cfg_if! {
    if #[cfg(feature = "vmi")] {
        use subarch_vmi::vmi64::Call;

        /// The record of a site that a ROM may change as well; its number is `site_call`.
        macro_rules! record_for_rom {
            ($label:literal) => { subarch_vmi::site_record!("site", $label) };
        }

        const DISABLE: u64 = Call::DisableInterrupts.number();
        const ENABLE: u64 = Call::EnableInterrupts.number();
    } else {
        /// There is no ROM to make a record for.
        macro_rules! record_for_rom {
            ($label:literal) => { "/* {site_call} */" };
        }

        const DISABLE: u64 = 0;
        const ENABLE: u64 = 0;
    }
}

/// The bit of RFLAGS (Intel SDM, vol. 1, 3.4.3.3).
const INTERRUPT_FLAG: u64 = 1 << 9;

arch::keeping_registers!(pub(super) deliver, assembly::deliver, []);

impl IrqOps for Paravirt {
    type Flags = u64;

    #[inline(always)]
    fn disable() {
        // SAFETY: masking breaks no promise; under Xen GS is this CPU's area, whose head Xen shares.
        unsafe {
            asm!(
                arch::site_text!("8", "cli"),
                becomes!("mov byte ptr gs:[{MASK}], 1"),
                record_for_rom!("771b"),
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
                arch::site_text!("8", "sti\n.byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0"),
                becomes!(
                    jump "776f",
                    "mov byte ptr gs:[{MASK}], 0",
                    "cmp byte ptr gs:[{PENDING}], 0",
                    ".byte 0x0f, 0x85"
                ),
                arch::detour_text!("776", "call {deliver}\njmp 779f"),
                record_for_rom!("771b"),
                "779:",
                site_call = const ENABLE,
                MASK = const UPCALL_MASK,
                PENDING = const UPCALL_PENDING,
                deliver = sym deliver,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn flags() -> u64 {
        // SAFETY: reads the flag and changes nothing else; there is no red zone below the stack pointer.
        unsafe {
            answer!(
                7, "pushfq\npop {answer}", becomes!("movzx {answer:e}, byte ptr gs:[{MASK}]"),
                GetInterruptMask => "pushfq\npop rax",
                MASK = const UPCALL_MASK,
            )
        }
    }

    /// Of Xen's byte no other value than 0 and 1 is ever there: those are all that is written by anybody, Xen included.
    #[inline(always)]
    fn masked(flags: u64) -> bool {
        let mut masked = false;
        // SAFETY: a test of a register, and a jump to where this block says.
        unsafe {
            asm!(
                arch::site_text!("0", "test {flags:e}, {INTERRUPT_FLAG}"),
                becomes!(".fill 2, 1, 0x2e", "cmp {flags:l}, 1"),
                "jz {masked}",
                flags = in(reg) flags, INTERRUPT_FLAG = const INTERRUPT_FLAG,
                masked = label { masked = true },
                options(nostack, nomem),
            );
        }
        masked
    }

    /// All in one place: a bare machine's three instructions have room before them for the prefixes that Xen's five make up for.
    #[inline(always)]
    fn restore(flags: u64) {
        // SAFETY: as for `enable`.
        unsafe {
            asm!(
                "771:
                .fill 8, 1, 0x2e
                test {flags:e}, {INTERRUPT_FLAG}
                .byte 0x0f, 0x84
                .long 779f - . - 4
                773:
                .fill 8, 1, 0x2e
                sti
                772:",
                record_for_rom!("773b"),
                becomes!(
                    jump "776f",
                    "test {flags:l}, {flags:l}",
                    "jnz 775f",
                    "mov byte ptr gs:[{MASK}], 0",
                    "cmp byte ptr gs:[{PENDING}], 0",
                    ".byte 0x0f, 0x85"
                ),
                arch::detour_text!("776", "call {deliver}\njmp 779f"),
                "779:",
                site_call = const ENABLE,
                flags = in(reg) flags,
                INTERRUPT_FLAG = const INTERRUPT_FLAG,
                MASK = const UPCALL_MASK,
                PENDING = const UPCALL_PENDING,
                deliver = sym deliver,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn enable_and_halt() {
        choose!(Bare::enable_and_halt(), Xen::enable_and_halt());
    }
}
