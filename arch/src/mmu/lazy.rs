//! Lazy MMU mode: many page-table updates for the price of one crossing.

use super::MmuOps;
use core::fmt;
use core::marker::PhantomData;

/// While it lives, page-table updates of this CPU may be collected; when it is dropped, they have been made.
///
/// Until then a read of an entry may still give the old value. Guards do not nest. Where anything is collected
/// ([`MmuOps::collects`]), it is by this CPU, so the code between must not be moved to another: the core has a guard around this
/// one that keeps it here. Natively it has no size and dropping it is no instruction.
pub struct LazyMmu<P: MmuOps> {
    platform: PhantomData<*const P>,
}

impl<P: MmuOps> LazyMmu<P> {
    /// Enters lazy MMU mode on this CPU.
    #[inline(always)]
    pub fn enter() -> Self {
        P::lazy_begin();
        Self { platform: PhantomData }
    }
}

impl<P: MmuOps> Drop for LazyMmu<P> {
    #[inline(always)]
    fn drop(&mut self) {
        P::lazy_end();
    }
}

impl<P: MmuOps> fmt::Debug for LazyMmu<P> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LazyMmu")
    }
}
