//! Several CPUs: all come up, each has its own area, and each reaches each.

mod calls;

use super::threads::{PATIENCE, need_two_cpus, spawn_on, wait_for};
use super::{Case, Outcome, Trouble, check, check_eq, failed};
use crate::fault::probe;
use crate::mm::frames;
use crate::mm::mappings::{self, Access};
use crate::platform::Platform;
use crate::smp::{self, run_on};
use crate::task;
use arch::layout::MAPPINGS;
use arch::percpu::{CpuId, CpuSet, MAX_CPUS, PerCpu, this_cpu};
use arch::{IrqOps, MmuOps, SmpOps, TimeOps, VirtAddr};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "smp-all-cpus-come-up",
        run: all_come_up,
    },
    Case {
        name: "smp-every-cpu-has-its-area",
        run: every_cpu_has_its_area,
    },
    Case {
        name: "smp-every-cpu-reaches-every-cpu",
        run: every_cpu_reaches_every_cpu,
    },
    Case {
        name: "smp-every-pair-calls-both-ways",
        run: calls::every_pair_calls_both_ways,
    },
    Case {
        name: "smp-masked-cpu-holds-back-calls",
        run: calls::masked_cpu_holds_back_calls,
    },
    Case {
        name: "smp-every-cpu-has-its-alarm",
        run: every_cpu_has_its_alarm,
    },
    Case {
        name: "smp-clock-never-goes-back-between-cpus",
        run: clock_never_goes_back,
    },
    Case {
        name: "smp-stale-translations-are-dropped",
        run: stale_translations_are_dropped,
    },
    Case {
        name: "smp-every-cpu-survives-faults",
        run: every_cpu_survives_faults,
    },
];

static SEEN: AtomicU64 = AtomicU64::new(0);

fn others() -> impl Iterator<Item = CpuId> {
    smp::online().without(this_cpu()).iter()
}

fn all_come_up() -> Outcome {
    check_eq!(smp::online().len(), Platform::cpu_count().min(MAX_CPUS));
    check!(smp::online().contains(CpuId(0)), "the boot CPU is not online");
    Ok(())
}

fn every_cpu_has_its_area() -> Outcome {
    fn look(cpu: u64) {
        let here = PerCpu::current();
        let right = here.cpu() == CpuId(cpu as u32) && this_cpu() == here.cpu();
        SEEN.store(if right { here as *const PerCpu as u64 } else { 0 }, Relaxed);
    }
    for cpu in others() {
        run_on(cpu, look, cpu.0.into());
        check_eq!(SEEN.load(Relaxed), smp::area(cpu) as *const PerCpu as u64);
    }
    Ok(())
}

fn every_cpu_reaches_every_cpu() -> Outcome {
    need_two_cpus()?;
    fn count(_: u64) {
        SEEN.fetch_add(1, Relaxed);
    }
    fn forward(to: u64) {
        // The one that asked waits with interrupts unmasked, so the chain cannot close.
        Platform::enable();
        run_on(CpuId(to as u32), count, 0);
        Platform::disable();
    }
    SEEN.store(0, Relaxed);
    let mut pairs = 0;
    for from in others() {
        for to in smp::online().without(from).iter() {
            run_on(from, forward, to.0.into());
            pairs += 1;
            check!(
                SEEN.load(Relaxed) == pairs,
                "no answer on the way from CPU {} to CPU {}",
                from.0,
                to.0
            );
        }
    }
    Ok(())
}

fn every_cpu_has_its_alarm() -> Outcome {
    for cpu in smp::online().iter() {
        // Nothing but the alarm of the CPU it sleeps on wakes a thread. (Three times: a busy host may let one deadline pass too soon.)
        let sleeper = spawn_on(cpu, || (0..3).for_each(|_| task::sleep(Duration::from_millis(1))))?;
        let woke = wait_for(|| sleeper.is_finished());
        check!(woke, "the alarm of CPU {} did not go off within {PATIENCE:?}", cpu.0);
    }
    Ok(())
}

fn clock_never_goes_back() -> Outcome {
    need_two_cpus()?;
    fn read(_: u64) {
        SEEN.store(Platform::now().nanoseconds(), Relaxed);
    }
    for round in 0..200 {
        for cpu in others() {
            let before = Platform::now().nanoseconds();
            run_on(cpu, read, 0);
            let (there, after) = (SEEN.load(Relaxed), Platform::now().nanoseconds());
            check!(
                before <= there && there <= after,
                "round {round}, CPU {}: {before}, {there}, {after}",
                cpu.0
            );
        }
    }
    Ok(())
}

fn stale_translations_are_dropped() -> Outcome {
    const PLACE: VirtAddr = VirtAddr::new_truncate(MAPPINGS + (3 << 30));
    /// Reads the page and keeps the translation; what was there, or 0 if there is no page.
    fn read(_: u64) {
        // SAFETY: a probe survives the page's absence, and reading has no effect.
        SEEN.store(unsafe { probe::read(PLACE.as_ptr()) }.unwrap_or(0), Relaxed);
    }
    let frame = frames::allocate_zeroed().ok_or(Trouble::Skipped("no memory"))?;
    // SAFETY: the frame is this test's.
    unsafe { frame.direct().as_mut_ptr::<u64>().write(0x5eed) };
    mappings::map(PLACE, frame, Access::Read).map_err(failed("mapping"))?;
    for cpu in others() {
        run_on(cpu, read, 0);
        check_eq!(SEEN.load(Relaxed), 0x5eed);
    }
    // SAFETY: only this test uses the page.
    unsafe { mappings::unmap(PLACE) }.map_err(failed("unmapping"))?;
    for cpu in others() {
        run_on(cpu, read, 0);
        check!(SEEN.load(Relaxed) == 0, "CPU {} still sees a page that is gone", cpu.0);
    }
    // All at once, and twice: requests that cross must not wait for each other.
    Platform::flush_on(CpuSet::ALL & smp::online(), PLACE..PLACE + 4096);
    // SAFETY: no mapping of the frame is left, on any CPU.
    unsafe { frames::free(frame, 0) }.map_err(failed("freeing"))
}

fn every_cpu_survives_faults() -> Outcome {
    fn fault(_: u64) {
        let faults = (0..100).filter(|_| probe::undefined_instruction().is_err()).count();
        SEEN.store(faults as u64, Relaxed);
    }
    for cpu in others() {
        run_on(cpu, fault, 0);
        check_eq!(SEEN.load(Relaxed), 100);
    }
    Ok(())
}
