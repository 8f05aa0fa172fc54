//! Woken threads on their way to the CPU that is to run them.
//!
//! To wake a thread for another CPU under that CPU's run-queue lock would mean that two CPUs which wake each other's
//! threads all day wait for each other all day. So a waker only pushes the thread onto a stack, by one
//! compare-and-exchange, and the owner takes the whole stack, by one exchange, when it is interrupted or goes through
//! its scheduler anyway. Nobody ever takes a single element off, which is why the classical fault of such stacks
//! (Treiber, IBM RJ 5118, 1986; the *ABA* problem) has no place here.
//!
//! Only who finds the stack empty must interrupt the owner: whoever comes later knows that somebody else has, or is
//! about to.
//!
//! There is a second benefit. A thread may be woken while it is still on its way out of its old CPU. If it is always
//! pushed to that very CPU, it cannot be taken up before the CPU has finished switching away from it, and no flag has
//! to say so.
//!
//! Checked under `loom`, which tries the interleavings one by one and the weakest orders each access permits:
//! `RUSTFLAGS="--cfg loom" cargo test -p kernel-logic --release loom`

use super::embed::{Embeds, part_of, whole_of};
use crate::atomic::{AtomicPtr, Ordering, UnsafeCell, const_unless_loom};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

/// The part of a thread by which it travels.
pub struct InboxLink {
    next: UnsafeCell<*mut InboxLink>,
}

// SAFETY: `next` is used by the one who pushes it and then by the one who drains the inbox; the inbox orders these.
unsafe impl Sync for InboxLink {}
// SAFETY: as above.
unsafe impl Send for InboxLink {}

impl fmt::Debug for InboxLink {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("InboxLink")
    }
}

impl InboxLink {
    const_unless_loom! {
        /// One that is in no inbox.
        pub fn new() -> Self {
            Self { next: UnsafeCell::new(ptr::null_mut()) }
        }
    }
}

impl Default for InboxLink {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the owner of an inbox has to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Notice {
    /// The inbox was empty: interrupt its owner, unless that is the executing CPU, which only has to look.
    Needed,
    /// Somebody who came earlier interrupts the owner.
    OnItsWay,
}

/// One CPU's inbox: any CPU pushes, its owner drains.
///
/// A thread stays alive and in its place from [`push`](Self::push) until the owner has drained it.
pub struct Inbox<T> {
    head: AtomicPtr<InboxLink>,
    threads: PhantomData<NonNull<T>>,
}

// SAFETY: the threads in it go from CPU to CPU by shared pointer.
unsafe impl<T: Sync> Sync for Inbox<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Send for Inbox<T> {}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Inbox({})", if self.is_empty() { "empty" } else { "not empty" })
    }
}

impl<T> Inbox<T> {
    const_unless_loom! {
        /// An empty inbox.
        pub fn new() -> Self {
            Self { head: AtomicPtr::new(ptr::null_mut()), threads: PhantomData }
        }
    }

    /// Whether there is nothing to drain. A CPU asks before it goes idle, with interrupts masked, and idles by an
    /// operation that unmasks them: what is pushed after the question comes with an interrupt.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.head.load(Ordering::Relaxed).is_null()
    }
}

impl<T: Embeds<InboxLink>> Inbox<T> {
    /// Hands `thread` to the owner. All that was written before is seen by the owner after [`drain`](Self::drain).
    ///
    /// # Safety
    /// The thread is in no inbox, nobody else pushes it ([`WakeClaim`](super::WakeClaim) sees to that), and it keeps to
    /// what [the inbox](Self) expects.
    pub unsafe fn push(&self, thread: NonNull<T>) -> Notice {
        let link: NonNull<InboxLink> = part_of(thread);
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's promise: the link is alive, and nobody else uses it before the exchange below.
            unsafe { link.as_ref().next.with_mut(|next| *next = head) };
            match self
                .head
                .compare_exchange_weak(head, link.as_ptr(), Ordering::Release, Ordering::Relaxed)
            {
                Ok(before) if before.is_null() => return Notice::Needed,
                Ok(_) => return Notice::OnItsWay,
                Err(now) => head = now,
            }
        }
    }

    /// Takes everything out, first pushed first. For the owner alone, which may find it empty.
    #[inline]
    pub fn drain(&self) -> Drained<T> {
        let taken = if self.is_empty() {
            ptr::null_mut()
        } else {
            self.head.swap(ptr::null_mut(), Ordering::Acquire)
        };
        Drained {
            // SAFETY: the exchange made this CPU the only one to reach these links.
            next: unsafe { reverse(taken) },
            threads: PhantomData,
        }
    }
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// What was in an inbox, to be gone through once, to its end: a thread that is left in it is lost.
#[must_use]
pub struct Drained<T> {
    next: *mut InboxLink,
    threads: PhantomData<NonNull<T>>,
}

impl<T> fmt::Debug for Drained<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Drained(next {:p})", self.next)
    }
}

impl<T: Embeds<InboxLink>> Iterator for Drained<T> {
    type Item = NonNull<T>;

    fn next(&mut self) -> Option<NonNull<T>> {
        let link = NonNull::new(self.next)?;
        // SAFETY: the link is drained and not handed out yet, so it is alive and only used here. It is read before the
        // thread is handed out, after which it may be pushed again. And it is part of a `T`, as `push` took nothing
        // else.
        unsafe {
            self.next = link.as_ref().next.with(|next| *next);
            Some(whole_of(link))
        }
    }
}

/// Turns a stack around.
///
/// # Safety
/// The links are alive, and nobody else uses them.
unsafe fn reverse(mut stack: *mut InboxLink) -> *mut InboxLink {
    let mut reversed = ptr::null_mut();
    while let Some(link) = NonNull::new(stack) {
        // SAFETY: the caller's promise.
        unsafe {
            stack = link.as_ref().next.with(|next| *next);
            link.as_ref().next.with_mut(|next| *next = reversed);
        }
        reversed = link.as_ptr();
    }
    reversed
}
