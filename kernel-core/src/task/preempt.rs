//! Keeping the CPU for a stretch of code, with interrupts coming all the same.

use super::cpu;
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
        cpu::preempt_if_due();
    }
}
