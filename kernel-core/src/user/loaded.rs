//! Which program each CPU is ready to go to user mode for.
//!
//! The scheduler tells of every switch. A kernel thread changes nothing: it runs on whatever address space is loaded, because it
//! uses none. So the CPU still has the last program's page tables, stack and registers when that program's turn comes again, and
//! most of the time there is nothing to load. The price is that an address space is loaded, and must hear of changes, on CPUs that do
//! not run it; and that it is taken out of all of them before it is destroyed.
//!
//! Which CPUs have an address space is seldom asked, but changes with every switch between programs. So it is not kept anywhere:
//! whoever asks looks at what each CPU has loaded ([`cpus_with`]). A CPU says what it is about to load before it does, and
//! until it has, it has both.

use super::thread::UserThread;
use super::{AddressSpace, Process};
use crate::platform::Platform;
use crate::{irq, smp, task};
use arch::percpu::{CpuSet, PerCpuVar, this_cpu};
use arch::{CpuOps, UserContext};
use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed, Ordering::SeqCst, fence};

/// What is loaded on a CPU. The cells are for this CPU, with interrupts masked.
struct Loaded {
    context: Cell<UserContext>,
    /// The address space of that context; null if there is none.
    space: AtomicPtr<AddressSpace>,
    /// The one that takes its place, from before it is loaded.
    next_space: AtomicPtr<AddressSpace>,
    /// The number of the thread whose extended state is in the registers; zero if it is nobody's.
    registers_of: Cell<u32>,
}

// SAFETY: other CPUs look at the atomics only.
unsafe impl Sync for Loaded {}

#[unsafe(link_section = ".percpu")]
static LOADED: PerCpuVar<Loaded> = PerCpuVar::new(Loaded {
    context: Cell::new(UserContext::NONE),
    space: AtomicPtr::new(ptr::null_mut()),
    next_space: AtomicPtr::new(ptr::null_mut()),
    registers_of: Cell::new(0),
});

/// Tells of a switch between two threads of programs. Called with interrupts masked.
#[inline(always)]
pub fn exchange(previous: &UserThread, next: &UserThread) {
    previous.extended.save();
    // SAFETY: interrupts are masked.
    unsafe { LOADED.this() }.load(next);
}

/// Tells of a switch from `previous` to `next`, of which one is `None`, a thread of the kernel. Called with interrupts masked.
#[inline]
pub fn switch(previous: Option<&UserThread>, next: Option<&UserThread>) {
    if let Some(previous) = previous {
        previous.extended.save();
    }
    if let Some(next) = next {
        // SAFETY: interrupts are masked.
        unsafe { LOADED.this() }.load(next);
    }
}

/// The CPUs that have `space` loaded, or are about to: those that may use translations of it.
///
/// A CPU that is not among them loads page tables as they were when this was called, or later.
pub fn cpus_with(space: &AddressSpace) -> CpuSet {
    // Together with the load of a root, which no processor lets what comes later overtake: either the CPU is seen here, or what
    // was written before is seen there.
    fence(SeqCst);
    let has = |slot: &AtomicPtr<AddressSpace>| ptr::eq(slot.load(Relaxed), space);
    smp::online()
        .iter()
        .filter(|cpu| {
            let loaded = LOADED.of(smp::area(*cpu));
            has(&loaded.next_space) || has(&loaded.space)
        })
        .fold(CpuSet::EMPTY, |set, cpu| set | CpuSet::only(cpu))
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
    let others = cpus_with(space).without(here);
    for cpu in others.iter() {
        smp::run_on(cpu, unload, ptr::from_ref(space) as u64);
    }
    drop(stay);
}

/// Takes the address space at the address `space` out of this CPU, if it is loaded. Called with interrupts masked.
fn unload(space: u64) {
    // SAFETY: interrupts are masked.
    let loaded = unsafe { LOADED.this() };
    if loaded.space.load(Relaxed) as u64 == space {
        loaded.replace(&UserContext::NONE, ptr::null_mut());
        loaded.registers_of.set(0);
    }
}

impl Loaded {
    #[inline(always)]
    fn load(&self, next: &UserThread) {
        let (context, cpu) = (next.context_ref(), this_cpu());
        if self.registers_of.get() == next.id() && next.last_cpu.get() == cpu {
            // Only threads of the kernel ran meanwhile.
            return;
        }
        if context.root.is_none() {
            // It is on its way out.
            return;
        }
        self.replace(context, ptr::from_ref(next.process().space()).cast_mut());
        next.extended.restore();
        next.last_cpu.set(cpu);
        self.registers_of.set(next.id());
    }

    #[inline(never)]
    fn load_context(&self, next: &UserThread) {
        self.replace(next.context_ref(), ptr::from_ref(next.process().space()).cast_mut());
    }

    /// Loads `context`, which belongs to `space`.
    #[inline(always)]
    fn replace(&self, context: &UserContext, space: *mut AddressSpace) {
        self.next_space.store(space, Relaxed);
        // SAFETY: the old context was the last one loaded on this CPU, and is only changed below. The new one's tables were given
        // over and live as said, and its stack is that of the thread it belongs to, which is the only one to use it.
        unsafe { Platform::load_user(&*self.context.as_ptr(), context) };
        self.space.store(space, Relaxed);
        self.context.set(*context);
    }
}
