//! Calls from CPU to CPU: from each to each, both ways at a time, and to one that has masked interrupts.

use super::super::threads::{PATIENCE, need_two_cpus, rounds, spawn_on, wait_for};
use super::super::{Outcome, check, check_eq};
use crate::irq;
use crate::platform::Platform;
use crate::smp::{self, run_on};
use crate::task::JoinHandle;
use alloc::sync::Arc;
use alloc::vec::Vec;
use arch::percpu::{CpuId, this_cpu};
use arch::{SmpOps, TimeOps};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

/// What became of the calls from one CPU to another.
struct Line {
    from: CpuId,
    to: CpuId,
    sent: AtomicU64,
    answered: AtomicU64,
    /// Answered by another CPU than the one called.
    astray: AtomicU64,
}

/// How often each CPU calls each other, at the most and if time permits: on a busy host an answer takes as long as the host
/// lets the other CPU wait.
const CALLS: u64 = 10;
const TIME: Duration = Duration::from_millis(50);

/// Every CPU calls every other, all of them at the same time, so that calls cross.
pub(super) fn every_pair_calls_both_ways() -> Outcome {
    need_two_cpus()?;
    let end = Platform::now() + TIME;
    let lines: Arc<[Line]> = pairs().map(|(from, to)| Line::new(from, to)).collect();
    let threads: Result<Vec<_>, _> = smp::online()
        .iter()
        .map(|from| {
            let lines = lines.clone();
            spawn_on(from, move || {
                for _ in rounds(CALLS, end) {
                    lines.iter().filter(|line| line.from == from).for_each(Line::call);
                }
            })
        })
        .collect();
    threads?.into_iter().for_each(JoinHandle::join);
    for line in lines.iter() {
        let [sent, answered, astray] = [&line.sent, &line.answered, &line.astray].map(|count| count.load(Relaxed));
        check!(
            sent > 0 && answered == sent && astray == 0,
            "from CPU {} to CPU {}: {sent} calls, {answered} answered, {astray} by another CPU",
            line.from.0,
            line.to.0
        );
    }
    Ok(())
}

fn pairs() -> impl Iterator<Item = (CpuId, CpuId)> {
    let cpus = smp::online();
    cpus.iter()
        .flat_map(move |from| cpus.without(from).iter().map(move |to| (from, to)))
}

impl Line {
    fn new(from: CpuId, to: CpuId) -> Self {
        Self {
            from,
            to,
            sent: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            astray: AtomicU64::new(0),
        }
    }

    fn call(&self) {
        fn answer(line: u64) {
            // SAFETY: `call` below passes its own line, and waits for the answer.
            let line = unsafe { &*core::ptr::with_exposed_provenance::<Line>(line as usize) };
            line.answered.fetch_add(1, Relaxed);
            line.astray.fetch_add((this_cpu() != line.to).into(), Relaxed);
        }
        self.sent.fetch_add(1, Relaxed);
        run_on(self.to, answer, (&raw const *self).expose_provenance() as u64);
    }
}

/// How long a masked CPU keeps a call waiting.
const DELAY: Duration = Duration::from_millis(2);

pub(super) fn masked_cpu_holds_back_calls() -> Outcome {
    need_two_cpus()?;
    for cpu in smp::online().iter() {
        let caller = smp::online().without(cpu).iter().next().unwrap_or(cpu);
        let call = Arc::new(HeldBack::default());
        let (masked, calling) = (call.clone(), call.clone());
        // The caller first: where this thread runs, the other may be the last that does.
        let threads = [
            spawn_on(caller, move || calling.call(cpu))?,
            spawn_on(cpu, move || masked.hold_back())?,
        ];
        threads.into_iter().for_each(JoinHandle::join);
        check!(
            call.met.load(Relaxed),
            "CPUs {} and {} did not meet within {PATIENCE:?}",
            cpu.0,
            caller.0
        );
        check!(
            !call.early.load(Relaxed),
            "CPU {} had interrupts masked and was interrupted",
            cpu.0
        );
        check_eq!((cpu, call.late.load(Relaxed)), (cpu, true));
    }
    Ok(())
}

/// A call to a CPU that has interrupts masked.
#[derive(Default)]
struct HeldBack {
    masked: AtomicBool,
    calls: AtomicBool,
    answered: AtomicBool,
    /// The two threads were there at the same time.
    met: AtomicBool,
    /// The answer came while interrupts were masked.
    early: AtomicBool,
    /// The answer came when they no longer were.
    late: AtomicBool,
}

impl HeldBack {
    /// Masks interrupts, and looks whether the call waits until they are unmasked.
    fn hold_back(&self) {
        let masked = irq::mask();
        self.masked.store(true, Relaxed);
        self.met.store(wait_for(|| self.calls.load(Relaxed)), Relaxed);
        // The caller is about to call; a host that stops it just now makes this harmless, but never wrong.
        let end = Platform::now() + DELAY;
        while Platform::now() < end {
            Platform::spin(0);
        }
        self.early.store(self.answered.load(Relaxed), Relaxed);
        drop(masked);
        self.late.store(wait_for(|| self.answered.load(Relaxed)), Relaxed);
    }

    fn call(&self, cpu: CpuId) {
        fn answer(call: u64) {
            // SAFETY: passed below, by who waits for the answer.
            let call = unsafe { &*core::ptr::with_exposed_provenance::<HeldBack>(call as usize) };
            call.answered.store(true, Relaxed);
        }
        if wait_for(|| self.masked.load(Relaxed)) {
            self.calls.store(true, Relaxed);
            run_on(cpu, answer, (&raw const *self).expose_provenance() as u64);
        }
    }
}
