//! How often the platform was entered, by kind: counters for an image that is built to count.
//!
//! Instructions tell what an operation costs; how often it went below (a hypercall, a ROM's function) tells why, and stays the same with
//! another hypervisor of another speed. But a counter on every such way would cost an instruction on each of them, so the
//! image that is shipped has none. `cargo xtask bench` builds a second one with the Cargo feature `count-calls`, in which each way below
//! increments its kind's counter by one instruction relative to GS, and asks it for nothing else than the counts.
//!
//! The counters are at a constant distance from the GS base, at the end of the head of each CPU's area, so that a stub without any free
//! register can count: see [`count_call!`](crate::count_call). Without the feature they have no size, and counting is no instruction.

use crate::percpu;
use core::arch::asm;

/// Whether this image counts.
pub const COUNTED: bool = cfg!(feature = "count-calls");

/// How far a measurement is, for whoever watches the machine from outside and counts there: what an image does not do on its own account it
/// cannot count. See [`Subarch::mark`](crate::Subarch::mark).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// What counts begins.
    Begin,
    /// It ends, or is interrupted until the next beginning.
    End,
    /// A batch is complete.
    Batch,
    /// All batches were of the operation that is named on the console at this moment; the first of them was empty.
    Operation,
}

/// How many kinds can be told apart. What a number below that means is the platform's.
pub const KINDS: usize = 128;

/// How many counters each CPU has: none in an image that does not count.
pub const COUNTERS: usize = if COUNTED { KINDS } else { 0 };

/// Offset from the GS base of the counter, 32 bits, of `kind`.
pub const fn offset(kind: usize) -> usize {
    percpu::CALLS_OFFSET + kind * size_of::<u32>()
}

/// Counts a call of `kind` on this CPU. Changes the arithmetic flags, in an image that counts.
#[inline(always)]
pub fn count(kind: usize) {
    if COUNTED {
        debug_assert!(kind < KINDS, "there is no kind {kind}");
        // SAFETY: GS is this CPU's area, and the counter is this CPU's own: one instruction, so it counts where it is executed.
        unsafe { asm!("inc dword ptr gs:[{}]", in(reg) offset(kind), options(nostack)) };
    }
}

/// How many calls of `kind` this CPU has made; it wraps. Always zero in an image that does not count.
#[inline(always)]
pub fn counted(kind: usize) -> u32 {
    if !COUNTED {
        return 0;
    }
    assert!(kind < KINDS, "there is no kind {kind}");
    let count: u32;
    // SAFETY: GS is this CPU's area, which has that many counters.
    unsafe {
        asm!("mov {:e}, gs:[{}]", out(reg) count, in(reg) offset(kind), options(nostack, preserves_flags, readonly))
    };
    count
}

/// Assembly text that counts a call, for stubs: give the assembly an operand `count = const arch::calls::offset(KIND)`. It changes the
/// arithmetic flags.
#[cfg(feature = "count-calls")]
#[macro_export]
macro_rules! count_call {
    () => {
        "inc dword ptr gs:[{count}]"
    };
}

/// Assembly text that counts a call, for stubs: give the assembly an operand `count = const arch::calls::offset(KIND)`. This image does
/// not count: it is a comment.
#[cfg(not(feature = "count-calls"))]
#[macro_export]
macro_rules! count_call {
    () => {
        "/* {count} */"
    };
}
