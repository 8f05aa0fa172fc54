//! Memory: frames, the heap made of them, and the kernel's own mappings.

pub mod frames;
pub mod heap;
pub mod mappings;
pub mod stack;

use crate::platform::Platform;
use crate::task::{NoPreemption, without_preemption};
use arch::{Boot, LazyMmu, MmuOps};

/// While it lives, page-table updates of this CPU may be collected, and the thread stays where the collection is. When it is dropped,
/// they have been made, and then a preemption that became due meanwhile.
#[must_use = "updates are collected only as long as the guard lives"]
#[derive(Debug)]
pub struct Lazy {
    // In the order in which they end.
    _updates: LazyMmu<Platform>,
    _stay: Option<NoPreemption>,
}

/// Enters lazy MMU mode. Where the platform collects nothing, that is nothing at all.
#[inline]
pub fn lazy() -> Lazy {
    let stay = Platform::collects().then(without_preemption);
    Lazy {
        _updates: LazyMmu::enter(),
        _stay: stay,
    }
}

/// Takes over the memory that the platform left.
pub fn init(boot: &Boot) {
    frames::init(boot);
}
