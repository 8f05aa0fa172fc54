//! Which addresses are the kernel's stacks, for those who look at it after a fault.

use crate::mm;
use arch::VirtAddr;
use arch::layout::PAGE_SIZE;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static START: AtomicU64 = AtomicU64::new(0);
static END: AtomicU64 = AtomicU64::new(0);

/// Notes the stack that the boot CPU runs on.
pub fn remember(stack: Range<VirtAddr>) {
    START.store(stack.start.as_u64(), Relaxed);
    END.store(stack.end.as_u64(), Relaxed);
}

/// The addresses of the stack that `pointer` is on; the boot stack's if it is on none. Empty before [`remember`].
pub(super) fn of(pointer: u64) -> Range<u64> {
    mm::stack::containing(pointer).unwrap_or(START.load(Relaxed)..END.load(Relaxed))
}

/// Whether `address` is in the guard page below a stack.
pub(super) fn is_guard(address: VirtAddr) -> bool {
    let start = of(address.as_u64()).start;
    start != 0 && (start - PAGE_SIZE..start).contains(&address.as_u64())
}
