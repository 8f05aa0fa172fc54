//! Parts of a thread that a queue can hold on to.
//!
//! A queue that allocates would need memory at the very moment a thread gives up the CPU, perhaps because memory ran
//! out. So whatever a queue must remember about a thread lies in the thread, as a field, and the queue links these
//! fields. [`Embeds`] says where in the thread a part lies, which makes the way from the thread to its part, and back,
//! one addition of a constant.

use core::fmt;
use core::ops::Deref;
use core::ptr::NonNull;

/// A type that has a `Part` inside it.
///
/// Usually implemented by [`embeds!`](crate::embeds).
///
/// # Safety
/// `OFFSET` bytes after the start of every `Self` there is a `Part`, which belongs to it.
pub unsafe trait Embeds<Part> {
    /// Where the part lies, in bytes from the start.
    const OFFSET: usize;
}

/// Implements [`Embeds`](crate::sched::Embeds) for fields of a structure: `embeds!(Thread { sched: SchedEntity })`.
#[macro_export]
macro_rules! embeds {
    ($whole:ty { $($field:ident: $part:ty),+ $(,)? }) => { $(
        // SAFETY: the offset is the compiler's own, and the function beside it compiles only if the field is of that
        // type.
        unsafe impl $crate::sched::Embeds<$part> for $whole {
            const OFFSET: usize = {
                const fn _is_of_that_type(whole: &$whole) -> &$part {
                    &whole.$field
                }
                ::core::mem::offset_of!($whole, $field)
            };
        }
    )+ };
}

/// The part inside `whole`.
#[inline(always)]
pub(super) fn part_of<T: Embeds<P>, P>(whole: NonNull<T>) -> NonNull<P> {
    // SAFETY: `Embeds` promises that the part lies within the same object.
    unsafe { whole.byte_add(T::OFFSET).cast() }
}

/// What `part` is a part of.
///
/// # Safety
/// `part` came from [`part_of`] for this very `T`.
#[inline(always)]
pub(super) unsafe fn whole_of<T: Embeds<P>, P>(part: NonNull<P>) -> NonNull<T> {
    // SAFETY: the caller's promise: this undoes the addition in `part_of`.
    unsafe { part.byte_sub(T::OFFSET).cast() }
}

/// A pointer to something that is known to outlive its use here: whoever put it into a queue promised that it stays
/// alive, and in its place, until it is out again.
pub(super) struct Handle<T>(NonNull<T>);

impl<T> Handle<T> {
    /// # Safety
    /// The object is alive, and nobody holds an exclusive reference to it, for as long as the handle or a copy is used.
    #[inline(always)]
    pub unsafe fn new(pointer: NonNull<T>) -> Self {
        Self(pointer)
    }

    /// A handle on a part of the object.
    #[inline(always)]
    pub fn part<P>(self) -> Handle<P>
    where
        T: Embeds<P>,
    {
        Handle(part_of(self.0))
    }

    /// A handle on what the object is a part of.
    ///
    /// # Safety
    /// This handle was made by [`part`](Self::part) from a `Handle<W>`.
    #[inline(always)]
    pub unsafe fn whole<W: Embeds<T>>(self) -> Handle<W> {
        // SAFETY: the caller's promise.
        Handle(unsafe { whole_of(self.0) })
    }

    #[inline(always)]
    pub fn pointer(self) -> NonNull<T> {
        self.0
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Handle<T> {}

impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:p}", self.0)
    }
}

impl<T> Deref for Handle<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: `new` was promised that the object is alive.
        unsafe { self.0.as_ref() }
    }
}
