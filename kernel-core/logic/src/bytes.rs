//! Amounts of memory, as people read them.

use core::fmt;

/// A number of bytes that prints itself in the largest unit it reaches, with one decimal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bytes(pub u64);

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

impl fmt::Display for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = (self.0.max(1).ilog2() as usize / 10).min(UNITS.len() - 1);
        let tenths = ((u128::from(self.0) * 10) >> (10 * unit)) as u64;
        match (unit, tenths % 10) {
            (0, _) | (_, 0) => write!(out, "{} {}", tenths / 10, UNITS[unit]),
            (_, tenth) => write!(out, "{}.{tenth} {}", tenths / 10, UNITS[unit]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_largest_unit() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (512 << 20, "512 MiB"),
        ];
        for (amount, text) in cases {
            assert_eq!(Bytes(amount).to_string(), text);
        }
        assert_eq!(Bytes(u64::MAX).to_string(), "16777215.9 TiB");
    }
}
