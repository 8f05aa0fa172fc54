//! The leaf operations written by hand: what the compiler's work is measured by.
//!
//! The same comparison as natively, for what is in line here. Everything else is a hypercall, and there is nothing to be gained beside
//! one. The rules are in [`arch::by_hand`].

use crate::{FAULT_ADDRESS, UPCALL_MASK, UPCALL_PENDING, Xen};
use arch::by_hand::Batch;
use arch::{ByHand, rounds};

/// The branch to where a waiting event is delivered, which is far away: behind all code that is executed without one. Here nothing is there.
macro_rules! deliver {
    () => {
        "{{disp32}} jne 774f\n774:"
    };
}

/// Runs `rounds` rounds of `operation`; `None` if it is not written here.
///
/// # Safety
/// Called with events masked. One that waits when they are unmasked is delivered with the next hypercall.
pub unsafe fn run(operation: ByHand, rounds: u64) -> Option<Batch> {
    // SAFETY: GS is this CPU's area, whose head Xen shares; handlers may run whenever they are let.
    Some(unsafe {
        match operation {
            ByHand::Nothing => rounds!(Xen, rounds, []),
            ByHand::Disable => rounds!(Xen, rounds, ["mov byte ptr gs:[{MASK}], 1"], MASK = const UPCALL_MASK),
            ByHand::Enable => rounds!(Xen, rounds, ["mov byte ptr gs:[{MASK}], 0", "cmp byte ptr gs:[{PENDING}], 0",
                deliver!()], MASK = const UPCALL_MASK, PENDING = const UPCALL_PENDING),
            ByHand::Flags => rounds!(Xen, rounds, ["mov sil, gs:[{MASK}]"], out("sil") _, MASK = const UPCALL_MASK),
            ByHand::Masked => rounds!(Xen, rounds, ["test dil, dil", "setnz sil"], in("dil") 0_u8, out("sil") _),
            ByHand::Save => rounds!(Xen, rounds, ["mov sil, gs:[{MASK}]", "mov byte ptr gs:[{MASK}], 1"],
                out("sil") _, MASK = const UPCALL_MASK),
            ByHand::RestoreMasked => restore(1, rounds),
            ByHand::RestoreUnmasked => restore(0, rounds),
            ByHand::PageFaultAddress => rounds!(Xen, rounds, ["mov {answer}, gs:[{ADDRESS}]"],
                answer = out(reg) _, ADDRESS = const FAULT_ADDRESS),
            ByHand::Cycles => rounds!(Xen, rounds, ["rdtsc", "shl rdx, 32", "or rax, rdx"], out("rax") _, out("rdx") _),
            _ => return None,
        }
    })
}

/// Brings back what the byte was.
///
/// # Safety
/// As for [`run`].
unsafe fn restore(mask: u8, rounds: u64) -> Batch {
    // SAFETY: as in `run`.
    unsafe {
        rounds!(Xen, rounds, ["test dil, dil", "jnz 774f", "mov byte ptr gs:[{MASK}], 0", "cmp byte ptr gs:[{PENDING}], 0",
            deliver!()], in("dil") mask, MASK = const UPCALL_MASK, PENDING = const UPCALL_PENDING)
    }
}
