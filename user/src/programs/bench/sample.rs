//! Measuring in batches, and what is printed of it.

use crate::runtime::print::println;
use crate::runtime::time::cycles;
use core::fmt;

/// How many batches are measured.
const BATCHES: usize = 31;

/// Runs `batch` several times, which returns the cycles for `count` of something, and prints a line `bench NAME MINIMUM MEDIAN MAXIMUM`,
/// in cycles for each, to a tenth. The first run warms up and does not count.
pub fn measure(name: &str, count: u64, mut batch: impl FnMut() -> u64) -> u8 {
    batch();
    let mut times = [0; BATCHES];
    times.fill_with(|| batch() * 10 / count);
    times.sort_unstable();
    let [minimum, median, maximum] = [times[0], times[BATCHES / 2], times[BATCHES - 1]].map(Tenths);
    println!("bench {name} {minimum} {median} {maximum}");
    0
}

/// How many cycles `operation` takes.
#[inline(always)]
pub fn timed(operation: impl FnOnce()) -> u64 {
    let before = cycles();
    operation();
    cycles() - before
}

/// A number of tenths.
struct Tenths(u64);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}
