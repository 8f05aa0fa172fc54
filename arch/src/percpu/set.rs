//! Sets of CPUs.

use super::{CpuId, MAX_CPUS};
use core::fmt;
use core::iter;
use core::ops::{BitAnd, BitOr};

/// A set of CPUs, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct CpuSet(u64);

const _: () = assert!(MAX_CPUS <= u64::BITS);

impl CpuSet {
    /// No CPU.
    pub const EMPTY: Self = Self(0);

    /// Every CPU there can be.
    pub const ALL: Self = Self(u64::MAX);

    /// The set whose CPUs are the bits set in `bits`, CPU 0 being the lowest.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The set as bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// `cpu` alone.
    pub const fn only(cpu: CpuId) -> Self {
        Self(1 << cpu.0)
    }

    /// Whether `cpu` is in the set.
    pub const fn contains(self, cpu: CpuId) -> bool {
        self.0 >> cpu.0 & 1 != 0
    }

    /// The set without `cpu`.
    pub const fn without(self, cpu: CpuId) -> Self {
        Self(self.0 & !(1 << cpu.0))
    }

    /// Whether it has no CPU.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many CPUs it has.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The CPU with the lowest number, if there is any.
    #[inline]
    pub const fn first(self) -> Option<CpuId> {
        if self.is_empty() {
            return None;
        }
        Some(CpuId(self.0.trailing_zeros()))
    }

    /// Its CPUs in ascending order.
    pub fn iter(self) -> impl Iterator<Item = CpuId> {
        iter::successors(self.first(), move |cpu| Self(self.0 & (u64::MAX << cpu.0) << 1).first())
    }
}

impl BitOr for CpuSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for CpuSet {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for CpuSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter().map(|cpu| cpu.0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_what_was_put_in() {
        let set = CpuSet::only(CpuId(0)) | CpuSet::only(CpuId(63));
        assert!(set.contains(CpuId(63)) && !set.contains(CpuId(1)));
        assert_eq!((set.len(), set.without(CpuId(0))), (2, CpuSet::only(CpuId(63))));
        assert_eq!(set.iter().map(|cpu| cpu.0).collect::<Vec<_>>(), [0, 63]);
        assert!((set & CpuSet::only(CpuId(5))).is_empty());
        assert_eq!((set.first(), CpuSet::EMPTY.first()), (Some(CpuId(0)), None));
        assert_eq!(CpuSet::ALL.iter().count(), MAX_CPUS as usize);
    }
}
