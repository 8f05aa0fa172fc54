//! Which addresses are the kernel's stack, for those who look at it after a fault.

use arch::VirtAddr;
use arch::layout::PAGE_SIZE;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static START: AtomicU64 = AtomicU64::new(0);
static END: AtomicU64 = AtomicU64::new(0);

/// Notes the stack that the kernel runs on.
pub fn remember(stack: Range<VirtAddr>) {
    START.store(stack.start.as_u64(), Relaxed);
    END.store(stack.end.as_u64(), Relaxed);
}

/// The addresses of the stack; empty before [`remember`].
pub(super) fn range() -> Range<u64> {
    START.load(Relaxed)..END.load(Relaxed)
}

/// Whether `address` is in the guard page below the stack.
pub(super) fn is_guard(address: VirtAddr) -> bool {
    let start = range().start;
    start != 0 && (start - PAGE_SIZE..start).contains(&address.as_u64())
}
