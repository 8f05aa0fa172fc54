//! Variables of which every CPU has its own.

use super::PerCpu;
use core::fmt;

/// A variable in each CPU's area. Declared with the section that the linker script collects:
///
/// ```ignore
/// #[unsafe(link_section = ".percpu")]
/// static SLEEPS: PerCpuVar<AtomicU64> = PerCpuVar::new(AtomicU64::new(0));
/// ```
///
/// The static itself is the template, from which each CPU's copy starts; nothing reads or writes it.
#[repr(transparent)]
pub struct PerCpuVar<T> {
    value: T,
}

// SAFETY: the static is only an address. Access is either to the executing CPU's copy, whose caller vouches for being alone
// there, or shared, and then `T` must be `Sync`.
unsafe impl<T> Sync for PerCpuVar<T> {}

impl<T> PerCpuVar<T> {
    /// A variable that starts as `value` on every CPU. A copy of its bytes must be as good as the original.
    pub const fn new(value: T) -> Self {
        Self { value }
    }

    /// This CPU's copy.
    ///
    /// # Safety
    /// As long as the reference is used, the caller is not moved to another CPU, and whatever interrupts it does not use the
    /// variable in a way that `T` does not allow.
    #[inline(always)]
    pub unsafe fn this(&'static self) -> &'static T {
        let address = (&raw const self.value).wrapping_byte_add(super::distance());
        // SAFETY: it is as far into this CPU's area as the static is into the template; the caller vouches for the use.
        unsafe { &*address }
    }

    /// The copy in `area`, whichever CPU that is of.
    #[inline]
    pub fn of(&'static self, area: &'static PerCpu) -> &'static T
    where
        T: Sync,
    {
        // SAFETY: each area has the template's size; sharing is what `Sync` allows.
        unsafe { &*self.address_in(area) }
    }

    #[inline(always)]
    fn address_in(&'static self, area: &'static PerCpu) -> *const T {
        let offset = (&raw const self.value).addr() - (&raw const super::__percpu_start).addr();
        (&raw const *area).cast::<u8>().wrapping_add(offset).cast()
    }
}

impl<T> fmt::Debug for PerCpuVar<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PerCpuVar")
    }
}
