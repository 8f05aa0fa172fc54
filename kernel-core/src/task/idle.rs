//! What a CPU does when it has nothing to do: look for work elsewhere, and stop.

use super::handover::reschedule;
use super::scheduler::Scheduler;
use crate::irq;
use crate::smp;
use arch::percpu::{CpuId, CpuSet};
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use kernel_logic::sched::steal_order;

/// CPUs that have stopped, or are about to.
static IDLE: AtomicU64 = AtomicU64::new(0);

/// The idle thread of this CPU.
pub fn run() -> ! {
    loop {
        let masked = irq::mask();
        let me = Scheduler::mine();
        // Said first, so that whoever adds work after we have looked sees it and interrupts us.
        IDLE.fetch_or(CpuSet::only(me.cpu).bits(), SeqCst);
        let found = me.has_work() || steal(me);
        if !found {
            masked.halt();
        }
        is_busy(me.cpu);
        reschedule(&irq::mask());
    }
}

/// Interrupts a CPU that is idle, other than `busy`, which has more work than it can do at once.
pub(super) fn call_for_help(busy: CpuId) {
    if let Some(cpu) = CpuSet::from_bits(IDLE.load(SeqCst)).without(busy).first() {
        smp::interrupt(cpu);
    }
}

/// Notes that `cpu` has work, and is not to be called.
pub(super) fn is_busy(cpu: CpuId) {
    IDLE.fetch_and(!CpuSet::only(cpu).bits(), SeqCst);
}

/// Gives a thread that waits on this CPU to `other`, idle or not. `false` if none waits that may run there.
pub fn give_away_to(other: CpuId) -> bool {
    let _masked = irq::mask();
    let given = Scheduler::of(other).and_then(|taker| Some((taker, Scheduler::mine().give_to(other)?)));
    if let Some((taker, thread)) = given {
        taker.send(thread);
    }
    given.is_some()
}

/// Takes a thread that waits on another CPU.
fn steal(me: &Scheduler) -> bool {
    steal_order(me.cpu, smp::online()).any(|victim| {
        match Scheduler::of(victim).and_then(|other| other.give_to(me.cpu)) {
            Some(thread) => {
                me.receive(thread);
                true
            }
            None => false,
        }
    })
}
