//! The virtual CPUs of the domain.
//!
//! No table lists them: they are numbered from zero, and Xen is asked for one after the other until it knows none. Nor does one
//! wake up in the mode of 1978, as the processors beneath do: it starts in whatever state it is described to be in, down to
//! the last register, so that its very first instruction is the kernel's code, on page tables, with a stack, a per-CPU area
//! and handlers for exceptions. Whatever else belongs to the CPU is arranged by the one that starts it.

use crate::cpu;
use crate::hypercall::{Errno, Granted, Refused, sched, vcpu};
use crate::mmu::tree::frame_at;
use crate::trap::{self, entries};
use crate::{Xen, event, p2m};
use arch::percpu::{CpuId, PerCpu};
use arch::smp::StartError;
use arch::{IrqOps, Kernel, MmuOps, SmpOps, VirtAddr};
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;

/// How many turns to wait busily: some microseconds, longer than locks are usually held and less than Xen's shortest time
/// slice.
pub const PATIENCE: u32 = 1000;

/// For [`cpu_count`](SmpOps::cpu_count) the answer of the hypercall is whether a CPU is running, but already its error tells
/// whether there is one.
///
/// A wait that is too long for [`spin`](SmpOps::spin) is most often for a CPU that Xen has taken from its processor. Yielding
/// lets that one run; without it, the one that waits may use up its time slice first.
impl SmpOps for Xen {
    fn cpu_count() -> u32 {
        let mut count = 1;
        while vcpu::exists(count).granted() {
            count += 1;
        }
        count
    }

    /// # Safety
    /// As [`SmpOps::start_cpu`] asks.
    unsafe fn start_cpu(area: &'static PerCpu, stack: Range<VirtAddr>) -> Result<(), StartError> {
        // SAFETY: the caller vouches for area and stack.
        unsafe { start(area, &stack) }.map_err(|refused| error(area.cpu(), &refused))
    }

    #[inline]
    fn send_ipi(cpu: CpuId) {
        event::send_ipi(cpu);
    }

    #[inline]
    fn spin(turn: u32) {
        if turn < PATIENCE {
            core::hint::spin_loop();
        } else {
            sched::give_way().granted();
        }
    }
}

/// What a further CPU starts with.
pub extern "C" fn online<K: Kernel>() -> ! {
    debug_assert!(Xen::masked(Xen::flags()), "a CPU starts with events masked");
    trap::install_on_this_cpu();
    cpu::extended::enable();
    K::cpu_online()
}

/// Starts a CPU.
///
/// # Errors
/// What Xen did not like.
///
/// # Safety
/// As for [`SmpOps::start_cpu`].
unsafe fn start(area: &'static PerCpu, stack: &Range<VirtAddr>) -> Result<(), Refused> {
    let cpu = area.cpu().0;
    // SAFETY: the caller vouches for area and stack, so the CPU may be described by them; and before it goes up, everything that
    // belongs to it is there.
    unsafe {
        hand_over(area)?;
        vcpu::initialise(cpu, &describe(area, stack))?;
        vcpu::stop_periodic_timer(cpu)?;
        event::listen_on(area)?;
        vcpu::up(cpu)?;
    }
    Ok(())
}

/// Has Xen use the area's head, with events masked, and fills in what the area's own CPU will look for.
///
/// # Safety
/// The area was prepared for a CPU that does not run, and is used for the first time.
unsafe fn hand_over(area: &'static PerCpu) -> Result<(), Refused> {
    let frame = frame_at(Xen::root(), VirtAddr::from_ptr(area)).expect("areas are in the kernel's memory");
    // SAFETY: the caller vouches for the area.
    unsafe { cpu::share_info(area, frame)? };
    cpu::info_of(area).upcall_mask.store(1, Relaxed);
    Ok(())
}

/// The state in which a CPU starts: in [`online`], called from nowhere, which is where its backtraces end.
///
/// # Safety
/// `stack` is mapped and nobody else's.
unsafe fn describe(area: &'static PerCpu, stack: &Range<VirtAddr>) -> vcpu::Context {
    let return_address = (stack.end - size_of::<u64>() as u64).as_mut_ptr::<u64>();
    // SAFETY: the caller vouches for the stack.
    unsafe { return_address.write(0) };
    let root = p2m::machine(Xen::root());
    let stacks = vcpu::Stacks {
        first: return_address as u64,
        entry: cpu::entry_stack::end(area),
    };
    vcpu::Context::new(entries::get(), root, &stacks, &raw const *area as u64)
}

/// What the core knows a refusal as.
fn error(cpu: CpuId, refused: &Refused) -> StartError {
    match refused.errno {
        Errno::NOENT => StartError::NoSuchCpu(cpu),
        Errno::NOMEM => StartError::NoMemory,
        Errno(number) => StartError::Refused(number.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypercall::Call;

    #[test]
    fn refusals_are_told_in_the_core_s_words() {
        let refused = |number| Refused {
            call: Call::VcpuOp,
            arguments: [0, 7, 0, 0],
            errno: Errno(number),
        };
        assert_eq!(error(CpuId(7), &refused(2)), StartError::NoSuchCpu(CpuId(7)));
        assert_eq!(error(CpuId(7), &refused(12)), StartError::NoMemory);
        assert_eq!(error(CpuId(7), &refused(17)), StartError::Refused(17));
    }
}
