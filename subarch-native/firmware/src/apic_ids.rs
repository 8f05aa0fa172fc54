//! The numbers of local APICs, which are what CPUs call each other by.

use core::fmt;

/// A set of APIC numbers of the old sort, 0 to 254. Whatever order and repetitions the firmware has, a set has none.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ApicIds([u64; 4]);

impl ApicIds {
    /// Puts a number in. Those that do not fit into a byte cannot be called without the new mode of the APIC, and 255 is
    /// everyone: none of these is a CPU to this kernel.
    pub fn insert(&mut self, id: u32) {
        if let Some(id) = u8::try_from(id).ok().filter(|id| *id != u8::MAX) {
            self.0[usize::from(id / 64)] |= 1 << (id % 64);
        }
    }

    /// The numbers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u8> {
        (0..u8::MAX).filter(|id| self.0[usize::from(id / 64)] >> (id % 64) & 1 != 0)
    }
}

impl FromIterator<u32> for ApicIds {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        let mut set = Self::default();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

impl fmt::Debug for ApicIds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_and_what_cannot_be_called_is_left_out() {
        let ids = ApicIds::from_iter([64, 3, 255, 0, 3, 254, 256, u32::MAX]);
        assert_eq!(ids.iter().collect::<Vec<_>>(), [0, 3, 64, 254]);
        assert_eq!(format!("{ids:?}"), "{0, 3, 64, 254}");
    }
}
