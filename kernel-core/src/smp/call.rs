//! Functions that run on another CPU, in the handler of an inter-processor interrupt.

use super::area;
use crate::irq;
use crate::platform::Platform;
use arch::SmpOps;
use arch::percpu::{CpuId, PerCpuVar};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// What a CPU has been asked to run.
struct Request {
    /// Whoever has set this may fill in the rest.
    taken: AtomicBool,
    function: AtomicUsize,
    argument: AtomicU64,
    /// Set when the rest is filled in, cleared when the function has returned.
    waiting: AtomicBool,
}

#[unsafe(link_section = ".percpu")]
static REQUEST: PerCpuVar<Request> = PerCpuVar::new(Request {
    taken: AtomicBool::new(false),
    function: AtomicUsize::new(0),
    argument: AtomicU64::new(0),
    waiting: AtomicBool::new(false),
});

/// Runs `function(argument)` on `cpu`, in its interrupt handler with interrupts masked, and waits until it has returned.
///
/// The caller's interrupts should be unmasked: two CPUs that wait for each other with interrupts masked wait for ever.
pub fn run_on(cpu: CpuId, function: fn(u64), argument: u64) {
    debug_assert!(!irq::is_masked(), "two CPUs could wait for each other");
    let request = REQUEST.of(area(cpu));
    spin_while(|| request.taken.swap(true, Acquire));
    request.function.store(function as usize, Relaxed);
    request.argument.store(argument, Relaxed);
    request.waiting.store(true, Release);
    super::interrupt(cpu);
    spin_while(|| request.waiting.load(Acquire));
    request.taken.store(false, Release);
}

/// Handles an inter-processor interrupt: runs what this CPU has been asked to run.
pub fn handle() {
    // SAFETY: a handler is not moved, and all fields are atomics.
    let request = unsafe { REQUEST.this() };
    if !request.waiting.load(Acquire) {
        return;
    }
    // SAFETY: `run_on` stored a function of this type before it set `waiting`.
    let function: fn(u64) = unsafe { core::mem::transmute(request.function.load(Relaxed)) };
    function(request.argument.load(Relaxed));
    request.waiting.store(false, Release);
}

fn spin_while(mut condition: impl FnMut() -> bool) {
    let mut turn = 0;
    while condition() {
        Platform::spin(turn);
        turn = turn.saturating_add(1);
    }
}
