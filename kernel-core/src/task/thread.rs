//! A thread, and the handle by which others wait for its end.

use super::Options;
use super::handover;
use super::switch::Context;
use super::wait::WaitList;
use crate::mm::mappings::MapError;
use crate::mm::stack::KernelStack;
use crate::platform::Platform;
use crate::sync::check;
use crate::user::{self, UserThread};
use alloc::boxed::Box;
use alloc::sync::Arc;
use arch::trap::TRAP_FRAME_SIZE;
use arch::{IrqOps, TrapFrame, percpu};
use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use kernel_logic::embeds;
use kernel_logic::sched::{InboxLink, SchedEntity, Sleeper, Waiter, WakeClaim};

type Work = Box<dyn FnOnce() + Send>;

/// A thread. Whoever may use which field, and when, is for the scheduler to know; others see only its end.
pub struct Thread {
    pub(super) sched: SchedEntity,
    pub(super) sleeper: Sleeper,
    pub(super) waiter: Waiter,
    pub(super) link: InboxLink,
    pub(super) claim: WakeClaim,
    /// The CPU it runs on or ran on last.
    pub(super) home: AtomicU32,
    /// Its registers while it does not run.
    pub(super) context: UnsafeCell<Context>,
    /// What makes it a thread of a program, if it is one.
    user: Option<UserThread>,
    /// The sleeping locks it has, in a debug build.
    held: check::HeldByThread,
    work: Cell<Option<Work>>,
    ended: AtomicBool,
    waiting_for_end: WaitList,
    /// Its stack, if it has one of its own and not that of a CPU.
    _stack: Option<KernelStack>,
}

embeds!(Thread {
    sched: SchedEntity,
    sleeper: Sleeper,
    waiter: Waiter,
    link: InboxLink
});

// SAFETY: the cells are the scheduler's, under the lock of the queue that the thread is on, or the thread's own.
unsafe impl Sync for Thread {}
// SAFETY: as above; the work is `Send`.
unsafe impl Send for Thread {}

impl fmt::Debug for Thread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Thread({:p})", self)
    }
}

impl Thread {
    /// What runs already, on the stack it runs on, as a thread.
    pub(super) fn adopt(options: Options) -> Self {
        Self::with(options, None, None, None)
    }

    /// A thread that begins with `work`.
    pub(super) fn new(options: Options, work: Work) -> Result<Self, MapError> {
        let stack = KernelStack::new()?;
        let top = stack.range().end;
        let mut thread = Self::with(options, Some(work), Some(stack), None);
        // SAFETY: the stack is mapped, and the new thread's.
        *thread.context.get_mut() = unsafe { Context::new(top, begin) };
        Ok(thread)
    }

    /// A thread of a program, which begins in user mode with the registers in `frame`.
    ///
    /// The frame is put where an entry from user mode would have left it, so that the thread begins as if it returned from one.
    pub(super) fn new_user(options: Options, user: UserThread, frame: &TrapFrame) -> Result<Self, MapError> {
        let stack = KernelStack::new()?;
        let top = stack.range().end;
        user.set_kernel_stack(top);
        let below = top - TRAP_FRAME_SIZE as u64;
        let mut thread = Self::with(options, None, Some(stack), Some(user));
        // SAFETY: the stack is mapped, and the new thread's; it has room for a frame, and stays aligned.
        unsafe {
            below.as_mut_ptr::<TrapFrame>().write(frame.clone());
            *thread.context.get_mut() = Context::new(below, begin_user);
        }
        Ok(thread)
    }

    fn with(options: Options, work: Option<Work>, stack: Option<KernelStack>, user: Option<UserThread>) -> Self {
        Self {
            sched: SchedEntity::new(options.class, options.affinity),
            sleeper: Sleeper::new(),
            waiter: Waiter::new(),
            link: InboxLink::new(),
            claim: WakeClaim::new(),
            home: AtomicU32::new(percpu::this_cpu().0),
            context: UnsafeCell::new(Context::default()),
            user,
            held: check::HeldByThread::none(),
            work: Cell::new(work),
            ended: AtomicBool::new(false),
            waiting_for_end: WaitList::new(),
            _stack: stack,
        }
    }

    /// The sleeping locks it has; in a release build nobody keeps account.
    pub fn held_locks(&self) -> &check::HeldByThread {
        &self.held
    }

    /// What makes it a thread of a program, if it is one.
    #[inline(always)]
    pub fn user(&self) -> Option<&UserThread> {
        self.user.as_ref()
    }

    /// The CPU it runs on or ran on last.
    pub(super) fn home(&self) -> percpu::CpuId {
        percpu::CpuId(self.home.load(Relaxed))
    }
}

/// The current thread. The scheduler keeps it alive as long as it runs.
#[inline(always)]
pub fn current() -> NonNull<Thread> {
    let thread: *const Thread = percpu::current().cast();
    // SAFETY: the scheduler of each CPU was started before anybody asks, and always sets a thread.
    unsafe { NonNull::new_unchecked(thread.cast_mut()) }
}

/// Where a new thread starts: on its own stack, in the middle of a switch.
extern "sysv64" fn begin() -> ! {
    handover::finish_switch();
    Platform::enable();
    // SAFETY: this is the running thread, and its work is its own.
    let work = unsafe { current().as_ref() }.work.take();
    work.expect("a thread begins once")();
    end()
}

/// Where a new thread of a program starts: the same, with its registers at the end of the stack.
extern "sysv64" fn begin_user() -> ! {
    handover::finish_switch();
    user::enter()
}

/// Ends the current thread. What is on its stack is left there: the caller owns nothing any more.
pub(crate) fn end() -> ! {
    check::nothing_held();
    // SAFETY: the running thread lives until the scheduler has left it.
    let me = unsafe { current().as_ref() };
    me.ended.store(true, Release);
    me.waiting_for_end.wake_all();
    handover::end()
}

/// The right to wait for a thread's end. Dropping it leaves the thread alone.
#[derive(Debug)]
pub struct JoinHandle {
    thread: Arc<Thread>,
}

impl JoinHandle {
    pub(super) fn new(options: Options, work: Work) -> Result<Self, MapError> {
        Ok(Self {
            thread: Arc::new(Thread::new(options, work)?),
        })
    }

    pub(super) fn new_user(options: Options, user: UserThread, frame: &TrapFrame) -> Result<Self, MapError> {
        Ok(Self {
            thread: Arc::new(Thread::new_user(options, user, frame)?),
        })
    }

    /// The thread itself.
    pub(crate) fn thread(&self) -> &Arc<Thread> {
        &self.thread
    }

    /// One more owner of the thread, for the scheduler, which gives it back by [`release`].
    pub(super) fn leak(&self) -> NonNull<Thread> {
        let thread = Arc::into_raw(self.thread.clone()).cast_mut();
        // SAFETY: an `Arc` never points nowhere.
        unsafe { NonNull::new_unchecked(thread) }
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.ended.load(Acquire)
    }

    /// Waits until the thread has ended.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn join(self) {
        self.thread.waiting_for_end.wait_until(|| self.is_finished(), None);
    }
}

/// Gives the scheduler's ownership of an ended thread back.
///
/// # Safety
/// The thread came from [`JoinHandle::leak`], and no CPU is on its stack any more.
pub(super) unsafe fn release(thread: NonNull<Thread>) {
    // SAFETY: the caller's promise.
    drop(unsafe { Arc::from_raw(thread.as_ptr()) });
}
