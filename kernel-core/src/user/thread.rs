//! What makes a thread of the kernel a thread of a program.

use super::Process;
use super::extended_state::ExtendedState;
use crate::task;
use alloc::sync::Arc;
use arch::percpu::CpuId;
use arch::{UserContext, VirtAddr};
use core::cell::Cell;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// The part of a thread that is about user mode. Its cells are used by the thread itself, and by the scheduler that leaves or
/// continues it, never by two at once.
pub struct UserThread {
    id: u32,
    process: Arc<Process>,
    context: Cell<UserContext>,
    pub(super) extended: ExtendedState,
    /// The CPU whose registers had its extended state last; a number that no CPU has at first.
    pub(super) last_cpu: Cell<CpuId>,
    /// Where a zero is to be written, and one waiter woken, when it ends (`set_tid_address`); zero for nowhere.
    pub(super) clear_at_end: AtomicU64,
}

// SAFETY: the cells have one user at a time, and switches order them.
unsafe impl Sync for UserThread {}

impl fmt::Debug for UserThread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "UserThread({} of {:?})", self.id, self.process)
    }
}

impl UserThread {
    /// A thread of `process`, entered with `fs_base`.
    pub(super) fn new(id: u32, process: Arc<Process>, extended: ExtendedState, fs_base: u64) -> Self {
        let context = UserContext {
            root: Some(process.space().root()),
            kernel_stack: VirtAddr::zero(),
            fs_base,
        };
        Self {
            id,
            process,
            context: Cell::new(context),
            extended,
            last_cpu: Cell::new(CpuId(u32::MAX)),
            clear_at_end: AtomicU64::new(0),
        }
    }

    /// The thread's number (`gettid`); that of a process's first thread is the process's.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The process it belongs to.
    pub fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// What the CPU is told before it goes to user mode.
    pub fn context(&self) -> UserContext {
        self.context.get()
    }

    /// The same in its place, for the scheduler: as long as it looks, the thread does not run, and changes nothing.
    #[inline(always)]
    pub(super) fn context_ref(&self) -> &UserContext {
        // SAFETY: only the thread itself changes its context, and not while this CPU, with interrupts masked, is at it.
        unsafe { &*self.context.as_ptr() }
    }

    /// Has the kernel be entered on the stack that ends at `end`. Called before the thread runs.
    pub(crate) fn set_kernel_stack(&self, end: VirtAddr) {
        self.context.set(UserContext {
            kernel_stack: end,
            ..self.context.get()
        });
    }

    /// It goes to user mode no more: from now on the scheduler loads nothing for it, whatever becomes of the address space.
    pub(super) fn leave_user_mode(&self) {
        self.context.set(UserContext::NONE);
    }

    /// Notes the base of FS, which is loaded by [`loaded::reload`](super::loaded::reload).
    pub(super) fn set_fs_base(&self, base: u64) {
        self.context.set(UserContext {
            fs_base: base,
            ..self.context.get()
        });
    }
}

/// A number that no thread or process has had before.
///
/// Numbers are positive as C's `int`, and there are enough for years.
pub(super) fn new_id() -> Option<u32> {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let next = |last: u32| last.checked_add(1).filter(|id| *id <= i32::MAX as u32);
    LAST.fetch_update(Relaxed, Relaxed, next).ok().map(|last| last + 1)
}

/// The current thread as one of a program. It lives as long as it runs.
#[inline]
pub fn current() -> &'static UserThread {
    // SAFETY: the running thread lives until it has ended itself.
    let thread = unsafe { task::current().as_ref() };
    thread.user().expect("only threads of programs make system calls")
}
