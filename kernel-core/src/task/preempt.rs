//! When a running thread must make way, and how it keeps the CPU for a stretch of code with interrupts coming all the same.

use super::handover::reschedule;
use super::scheduler::Scheduler;
use crate::irq;
use crate::smp;
use arch::percpu;
use core::marker::PhantomData;

/// Proof that the current thread is not preempted, and so stays on its CPU, as long as this lives. Guards nest.
#[must_use = "preemption is off only as long as the guard lives"]
#[derive(Debug)]
pub struct NoPreemption {
    this_cpu: PhantomData<*const ()>,
}

/// Switches preemption off on this CPU until the guard is dropped.
#[inline(always)]
pub fn without_preemption() -> NoPreemption {
    percpu::preemption_off();
    NoPreemption { this_cpu: PhantomData }
}

impl Drop for NoPreemption {
    #[inline(always)]
    fn drop(&mut self) {
        percpu::preemption_on();
        preempt_if_due();
    }
}

/// Preempts the interrupted thread, if another should run. Called at the end of all handling, with interrupts masked.
pub fn interrupts_done() {
    if is_switch_due() {
        reschedule(&irq::mask());
    }
}

/// Lets another thread run, if one should and may: at once, or if interrupts are masked, by an interrupt of its own when they no
/// longer are.
pub(super) fn preempt_if_due() {
    if irq::is_masked() {
        if is_switch_due() {
            smp::interrupt(percpu::this_cpu());
        }
    } else {
        let _masked = irq::mask();
        interrupts_done();
    }
}

/// Whether another thread should run on this CPU and preemption is possible. Called with interrupts masked.
fn is_switch_due() -> bool {
    Scheduler::is_started() && percpu::preemption_depth() == 0 && Scheduler::mine().due.get()
}
