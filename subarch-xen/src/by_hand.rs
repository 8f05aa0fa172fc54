//! The leaf operations written by hand: what the compiler's work is measured by.
//!
//! The same comparison as natively, for what is in line here. Everything else is a hypercall, and there is nothing to be gained beside
//! one. The rules are in [`arch::by_hand`].

use crate::Xen;
use crate::abi::vcpu_info::{FAULT_ADDRESS, UPCALL_MASK, UPCALL_PENDING};
use arch::percpu::PLATFORM_OFFSET;
use arch::{ByHand, rounds};

/// Offset from the GS base of the byte that masks.
const MASK: usize = PLATFORM_OFFSET + UPCALL_MASK;
/// Offset from the GS base of the byte that Xen sets when an event waits.
const PENDING: usize = PLATFORM_OFFSET + UPCALL_PENDING;
/// Offset from the GS base of the address of the last page fault.
const ADDRESS: usize = PLATFORM_OFFSET + FAULT_ADDRESS;

/// Runs `rounds` rounds of `operation`; `None` if it is not written here.
///
/// # Safety
/// Called with events masked. One that waits when they are unmasked is delivered with the next hypercall.
pub unsafe fn run(operation: ByHand, rounds: u64) -> Option<u64> {
    // SAFETY: GS is this CPU's area, whose head Xen shares; handlers may run whenever they are let.
    Some(unsafe {
        match operation {
            ByHand::Nothing => rounds!(Xen, rounds, []),
            ByHand::Disable => rounds!(Xen, rounds, ["mov byte ptr gs:[{MASK}], 1"], MASK = const MASK),
            ByHand::Enable => {
                rounds!(Xen, rounds, ["mov byte ptr gs:[{MASK}], 0", "cmp byte ptr gs:[{PENDING}], 0", "jne 3f", "3:"],
                MASK = const MASK, PENDING = const PENDING)
            }
            ByHand::Flags => {
                rounds!(Xen, rounds, ["mov {mask}, gs:[{MASK}]"], mask = out(reg_byte) _, MASK = const MASK)
            }
            ByHand::Masked => rounds!(Xen, rounds, ["test {mask}, {mask}", "setnz {answer}"],
                mask = in(reg_byte) 0_u8, answer = out(reg_byte) _),
            ByHand::Save => rounds!(Xen, rounds, ["mov {mask}, gs:[{MASK}]", "mov byte ptr gs:[{MASK}], 1"],
                mask = out(reg_byte) _, MASK = const MASK),
            ByHand::RestoreMasked => {
                rounds!(Xen, rounds, ["test {mask}, {mask}", "jnz 3f", "mov byte ptr gs:[{MASK}], 0", "3:"],
                mask = in(reg_byte) 1_u8, MASK = const MASK)
            }
            ByHand::RestoreUnmasked => {
                rounds!(Xen, rounds, ["test {mask}, {mask}", "jnz 3f", "mov byte ptr gs:[{MASK}], 0",
                "cmp byte ptr gs:[{PENDING}], 0", "jne 3f", "3:"],
                mask = in(reg_byte) 0_u8, MASK = const MASK, PENDING = const PENDING)
            }
            ByHand::PageFaultAddress => rounds!(Xen, rounds, ["mov {answer}, gs:[{ADDRESS}]"],
                answer = out(reg) _, ADDRESS = const ADDRESS),
            ByHand::Cycles => rounds!(Xen, rounds, ["rdtsc", "shl rdx, 32", "or rax, rdx"], out("rax") _, out("rdx") _),
            _ => return None,
        }
    })
}
