//! Measuring in batches, and what is printed of it.

use crate::runtime::print::println;
use crate::runtime::syscall;
use crate::runtime::time::cycles;
use core::fmt;
use user_programs::counting::{BEGIN, END, NUMBER, REPORT};

/// How many batches are measured.
const BATCHES: usize = 31;

/// Runs `batch` several times, which returns the cycles for `count` of something, and prints a line `bench NAME MINIMUM MEDIAN MAXIMUM`,
/// in cycles for each, to a tenth. The first run warms up and does not count.
///
/// A kernel that counts what goes below it does so between the two readings of the clock, and prints a line of its own. It is told of an
/// empty batch before all others, so that it can leave out its own way back to the program.
pub fn measure(name: &str, count: u64, mut batch: impl FnMut() -> u64) -> u8 {
    timed(|| ());
    batch();
    let mut times = [0; BATCHES];
    times.fill_with(|| batch() * 10 / count);
    times.sort_unstable();
    let [minimum, median, maximum] = [times[0], times[BATCHES / 2], times[BATCHES - 1]].map(Tenths);
    println!("bench {name} {minimum} {median} {maximum}");
    tell(&[REPORT, name.as_ptr() as usize, name.len(), count as usize]);
    0
}

/// How many cycles `operation` takes.
#[inline(always)]
pub fn timed(operation: impl FnOnce()) -> u64 {
    tell(&[BEGIN]);
    let before = cycles();
    operation();
    let cycles = cycles() - before;
    tell(&[END]);
    cycles
}

/// Tells the kernel, should it count. Most do not know this call, and it makes no difference to the program.
fn tell(request: &[usize]) {
    let _ = syscall::harmless(NUMBER, request);
}

/// A number of tenths.
struct Tenths(u64);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}
