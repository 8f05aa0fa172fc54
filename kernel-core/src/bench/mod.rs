//! What the kernel's operations cost, measured by the kernel itself.
//!
//! A kernel that claims to be as fast on a hypervisor as on the bare machine must be able to say how fast that is, and the
//! figure must be the same tomorrow and on another machine, or nobody will notice when it gets worse. So this measures in the
//! unit of [`TimeOps::cycles`](arch::TimeOps::cycles), and `cargo xtask bench` runs it where that unit is one instruction, the
//! hypervisor's included.
//!
//! `bench=all` on the command line measures instead of starting the monitor, `bench=NAME,NAME` some operations, `bench=list` names
//! them. For each there is one line, which tools read too:
//!
//! ```text
//! bench NAME MIN MEDIAN MAX ticks
//! ```
//!
//! The three numbers are the cost of one operation in the cheapest, the middle and the dearest batch, rounded to whole ticks.
//! Programs that measure from user mode print the same line.

mod interrupts;
mod locks;
mod memory;
mod meter;
mod threads;

use crate::power;
use meter::Figures;

/// The status of a kernel that was asked for an operation it does not have.
const FAILED: u8 = 1;

/// An operation that can be measured.
struct Benchmark {
    name: &'static str,
    run: fn() -> Figures,
}

const GROUPS: &[&[Benchmark]] = &[
    interrupts::BENCHMARKS,
    threads::BENCHMARKS,
    locks::BENCHMARKS,
    memory::BENCHMARKS,
];

/// Measures the operations that `which` names and ends the kernel.
pub fn run(which: &str) -> ! {
    if which == "list" {
        all().for_each(|benchmark| println!("bench: {}", benchmark.name));
        power::exit(0)
    }
    if let Some(unknown) = which
        .split(',')
        .find(|name| *name != "all" && !all().any(|benchmark| benchmark.name == *name))
    {
        println!("no benchmark is called `{unknown}`; `bench=list` names them");
        power::exit(FAILED)
    }
    let chosen = |name| which.split(',').any(|word| word == "all" || word == name);
    let mut count = 0;
    for benchmark in all().filter(|benchmark| chosen(benchmark.name)) {
        println!("bench {} {}", benchmark.name, (benchmark.run)());
        count += 1;
    }
    println!("benches: {count} measured");
    power::exit(0)
}

fn all() -> impl Iterator<Item = &'static Benchmark> {
    GROUPS.iter().copied().flatten()
}
