//! Threads of the kernel, and the CPUs that run them.
//!
//! Whom to run is decided in `kernel-logic`, where it is tested; here are the locks, the alarms and the switch. Each CPU has a
//! scheduler of its own. Nobody takes another CPU's lock but to steal when idle: a woken thread is put into the inbox of the CPU
//! it left, and that CPU is interrupted if it must look.
//!
//! A thread can be preempted wherever interrupts are unmasked and preemption is not switched off: on the way back from an
//! interrupt, when a thread with more right to the CPU has become runnable or the time slice is over.

mod alarm;
mod handover;
mod idle;
mod preempt;
mod scheduler;
mod switch;
mod thread;
mod wait;
mod wake;

pub use alarm::on_alarm;
pub use idle::{give_away_to, run as run_idle};
pub use preempt::{NoPreemption, interrupts_done, without_preemption};
pub use scheduler::start;
pub(crate) use thread::end;
pub use thread::{JoinHandle, Thread, current};
pub use wait::WaitList;
pub(crate) use wake::interrupt;
pub use wake::on_call;

use crate::irq;
use crate::mm::mappings::MapError;
use crate::platform::Platform;
use crate::sync::check;
use crate::user::UserThread;
use alloc::boxed::Box;
use arch::percpu::CpuSet;
use arch::{Instant, IrqOps, TimeOps, TrapFrame};
use core::time::Duration;
pub use kernel_logic::sched::{Class, Priority, Weight};

/// How a thread is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// By which rule it gets a CPU.
    pub class: Class,
    /// On which CPUs it may run.
    pub affinity: CpuSet,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            class: Class::Fair(Weight::NORMAL),
            affinity: CpuSet::ALL,
        }
    }
}

/// Starts a thread that runs `work` on any CPU.
///
/// # Errors
/// [`MapError`] if there is no memory for its stack.
pub fn spawn(work: impl FnOnce() + Send + 'static) -> Result<JoinHandle, MapError> {
    spawn_with(Options::default(), work)
}

/// Starts a thread that runs `work` as `options` say.
///
/// # Errors
/// [`MapError`] if there is no memory for its stack.
pub fn spawn_with(options: Options, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle, MapError> {
    let handle = JoinHandle::new(options, Box::new(work))?;
    wake::introduce(handle.leak());
    Ok(handle)
}

/// Makes a thread of a program, which [`introduce`] then starts in user mode with the registers in `frame`.
///
/// # Errors
/// [`MapError`] if there is no memory for its stack.
pub(crate) fn prepare_user(user: UserThread, frame: &TrapFrame) -> Result<JoinHandle, MapError> {
    JoinHandle::new_user(Options::default(), user, frame)
}

/// Starts a thread that was prepared.
pub(crate) fn introduce(prepared: &JoinHandle) {
    wake::introduce(prepared.leak());
}

/// Lets other threads of this CPU run first. Called with interrupts unmasked.
#[cfg_attr(debug_assertions, track_caller)]
pub fn yield_now() {
    check::may_sleep();
    Platform::disable();
    handover::yield_now();
    Platform::enable();
}

/// [`yield_now`] for a caller that has interrupts masked because it is on the way between a program and the kernel. They are
/// masked when it returns, and are not while others run.
#[inline(always)]
pub(crate) fn yield_at_the_border() {
    handover::yield_now();
}

/// Stops the current thread for at least `span`.
#[cfg_attr(debug_assertions, track_caller)]
pub fn sleep(span: Duration) {
    sleep_until(Platform::now() + span);
}

/// Stops the current thread until `deadline`.
#[cfg_attr(debug_assertions, track_caller)]
pub fn sleep_until(deadline: Instant) {
    /// Nobody wakes anybody here: only time ends the wait.
    static NOBODY: WaitList = WaitList::new();
    NOBODY.wait_until(|| false, Some(deadline));
}

/// Moves the current thread to one of the CPUs in `affinity` and keeps it there. Returns when it runs on one of them.
#[cfg_attr(debug_assertions, track_caller)]
pub fn set_affinity(affinity: CpuSet) {
    check::may_sleep();
    handover::set_affinity(affinity, &irq::mask());
}

/// The time, in the scheduler's unit: nanoseconds.
fn now() -> u64 {
    Platform::now().nanoseconds()
}
