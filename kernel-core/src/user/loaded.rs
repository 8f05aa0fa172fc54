//! Which program each CPU is ready to go to user mode for.
//!
//! The scheduler tells of every switch. A kernel thread changes nothing: it runs on whatever address space is loaded, because it
//! uses none. So the CPU still has the last program's page tables, stack and registers when that program's turn comes again, and
//! most of the time there is nothing to load. The price is that an address space is loaded, and must hear of changes, on CPUs that do
//! not run it; and that it is taken out of all of them before it is destroyed.

use super::thread::UserThread;
use super::{AddressSpace, Process};
use crate::platform::Platform;
use crate::{irq, smp, task};
use arch::percpu::{CpuId, PerCpuVar, this_cpu};
use arch::{CpuOps, UserContext};
use core::cell::Cell;
use core::ptr;

/// What is loaded on a CPU.
struct Loaded {
    context: Cell<UserContext>,
    /// The address space of that context; null if there is none.
    space: Cell<*const AddressSpace>,
    /// The number of the thread whose extended state is in the registers; zero if it is nobody's.
    registers_of: Cell<u32>,
}

#[unsafe(link_section = ".percpu")]
static LOADED: PerCpuVar<Loaded> = PerCpuVar::new(Loaded {
    context: Cell::new(UserContext::NONE),
    space: Cell::new(ptr::null()),
    registers_of: Cell::new(0),
});

/// Tells of a switch from `previous` to `next`, each `None` for a thread of the kernel. Called with interrupts masked.
#[inline]
pub fn switch(previous: Option<&UserThread>, next: Option<&UserThread>) {
    if let Some(previous) = previous {
        previous.extended.save();
    }
    if let Some(next) = next {
        // SAFETY: interrupts are masked.
        unsafe { LOADED.this() }.load(next, this_cpu());
    }
}

/// Loads the current thread's context again, after it has changed.
pub(super) fn reload(thread: &UserThread) {
    let _masked = irq::mask();
    // SAFETY: interrupts are masked.
    unsafe { LOADED.this() }.load_context(thread);
}

/// Takes `process` out of all CPUs. Called by its last thread, which does not go to user mode any more.
pub(super) fn unload_everywhere(process: &Process) {
    let space = process.space();
    let stay = task::without_preemption();
    let here = this_cpu();
    {
        let _masked = irq::mask();
        unload(ptr::from_ref(space) as u64);
    }
    let others = space.cpus().without(here) & smp::online();
    for cpu in others.iter() {
        smp::run_on(cpu, unload, ptr::from_ref(space) as u64);
    }
    drop(stay);
}

/// Takes the address space at the address `space` out of this CPU, if it is loaded. Called with interrupts masked.
fn unload(space: u64) {
    // SAFETY: interrupts are masked.
    let loaded = unsafe { LOADED.this() };
    if loaded.space.get() as u64 == space {
        loaded.replace(UserContext::NONE, ptr::null(), this_cpu());
        loaded.registers_of.set(0);
    }
}

impl Loaded {
    fn load(&self, next: &UserThread, cpu: CpuId) {
        if self.registers_of.get() == next.id() && next.last_cpu.get() == Some(cpu) {
            // Only threads of the kernel ran meanwhile.
            return;
        }
        if next.context().root.is_none() {
            // It is on its way out.
            return;
        }
        self.load_context(next);
        next.extended.restore();
        next.last_cpu.set(Some(cpu));
        self.registers_of.set(next.id());
    }

    fn load_context(&self, next: &UserThread) {
        self.replace(next.context(), next.process().space(), this_cpu());
    }

    /// Loads `context`, which belongs to `space`.
    fn replace(&self, context: UserContext, space: *const AddressSpace, cpu: CpuId) {
        let (old_context, old_space) = (self.context.replace(context), self.space.replace(space));
        let moves = old_space != space;
        // SAFETY: an address space that is loaded somewhere lives; it is taken out of all CPUs before it goes.
        if let Some(space) = unsafe { space.as_ref() }.filter(|_| moves) {
            space.enters(cpu);
        }
        // SAFETY: the old context was the last one loaded on this CPU. The new one's tables were given over and live as said, and
        // its stack is that of the thread it belongs to, which is the only one to use it.
        unsafe { Platform::load_user(&old_context, &context) };
        // SAFETY: as above.
        if let Some(space) = unsafe { old_space.as_ref() }.filter(|_| moves) {
            space.leaves(cpu);
        }
    }
}
