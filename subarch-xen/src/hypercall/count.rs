//! Hypercalls by kind, in an image that counts them ([`arch::calls`]).
//!
//! A kind is a hypercall, by its name in Xen's headers; of those that are many in one (`vcpu_op`, `mmuext_op` and the like), it is the
//! hypercall and its command. For several `mmuext_op` made together it is the first of them: they cross into Xen once.

use super::Call;
use arch::calls::{self, COUNTED, KINDS};

/// Where the commands of a hypercall that has some begin, among the kinds. Below are the hypercalls, by their numbers.
const VCPU: usize = 64;
const SCHED: usize = VCPU + 16;
const EVENT: usize = SCHED + 8;
const MMUEXT: usize = EVENT + 16;

/// The kinds that occur when the kernel runs, and is not starting, each with its name.
const NAMED: [(usize, &str); 25] = [
    (Call::MmuUpdate as usize, "mmu_update"),
    (Call::StackSwitch as usize, "stack_switch"),
    (Call::MemoryOp as usize, "memory_op"),
    (Call::UpdateVaMapping as usize, "update_va_mapping"),
    (Call::XenVersion as usize, "xen_version"),
    (Call::ConsoleIo as usize, "console_io"),
    (super::IRET as usize, "iret"),
    (Call::SetSegmentBase as usize, "set_segment_base"),
    (VCPU + 3, "vcpu_op.is_up"),
    (VCPU + 4, "vcpu_op.get_runstate_info"),
    (VCPU + 8, "vcpu_op.set_singleshot_timer"),
    (VCPU + 9, "vcpu_op.stop_singleshot_timer"),
    (SCHED, "sched_op.yield"),
    (SCHED + 1, "sched_op.block"),
    (SCHED + 3, "sched_op.poll"),
    (EVENT + 4, "event_channel_op.send"),
    (EVENT + 9, "event_channel_op.unmask"),
    (MMUEXT + 3, "mmuext_op.pin_l4_table"),
    (MMUEXT + 4, "mmuext_op.unpin_table"),
    (MMUEXT + 5, "mmuext_op.new_baseptr"),
    (MMUEXT + 6, "mmuext_op.tlb_flush_local"),
    (MMUEXT + 7, "mmuext_op.invlpg_local"),
    (MMUEXT + 8, "mmuext_op.tlb_flush_multi"),
    (MMUEXT + 11, "mmuext_op.invlpg_all"),
    (MMUEXT + 15, "mmuext_op.new_user_baseptr"),
];

/// Every kind that occurs, with its count on this CPU.
#[inline(always)]
pub fn all() -> impl Iterator<Item = (&'static str, u32)> {
    let named = if COUNTED { &NAMED[..] } else { &[] };
    named.iter().map(|(kind, name)| (*name, calls::counted(*kind)))
}

/// Counts a hypercall.
///
/// # Safety
/// The arguments are right for the hypercall: those of `mmuext_op` begin with the address of an operation.
#[inline(always)]
pub unsafe fn count(call: Call, arguments: &[u64; 4]) {
    if COUNTED {
        // SAFETY: the caller's promise.
        calls::count(unsafe { kind(call, arguments) });
    }
}

/// # Safety
/// As for [`count`].
#[inline(always)]
unsafe fn kind(call: Call, arguments: &[u64; 4]) -> usize {
    let command = arguments[0] as usize;
    match call {
        Call::VcpuOp => VCPU + command % 16,
        Call::SchedOp => SCHED + command % 8,
        Call::EventChannelOp => EVENT + command % 16,
        // SAFETY: an operation begins with its command.
        Call::MmuextOp => MMUEXT + unsafe { *(command as *const u32) } as usize % 16,
        call => call as usize,
    }
}

const _: () = assert!(MMUEXT + 16 <= KINDS);

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(call: Call, first: u64) -> usize {
        // SAFETY: the arguments are right where they are looked at.
        unsafe { kind(call, &[first, 0, 0, 0]) }
    }

    fn name(kind: usize) -> Option<&'static str> {
        NAMED.into_iter().find(|named| named.0 == kind).map(|named| named.1)
    }

    #[test]
    fn a_hypercall_of_many_is_known_by_its_command() {
        assert_eq!(name(kind_of(Call::MmuUpdate, 5)), Some("mmu_update"));
        assert_eq!(name(kind_of(Call::VcpuOp, 8)), Some("vcpu_op.set_singleshot_timer"));
        assert_eq!(name(kind_of(Call::EventChannelOp, 4)), Some("event_channel_op.send"));
        let operations = [6_u32, 0, 7];
        assert_eq!(
            name(kind_of(Call::MmuextOp, operations.as_ptr() as u64)),
            Some("mmuext_op.tlb_flush_local")
        );
    }

    #[test]
    fn no_two_kinds_are_one() {
        for (index, (kind, name)) in NAMED.iter().enumerate() {
            assert!(
                NAMED[..index].iter().all(|other| other.0 != *kind && other.1 != *name),
                "{name}"
            );
        }
    }
}
