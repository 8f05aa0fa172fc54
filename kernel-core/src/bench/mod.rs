//! What the kernel's operations cost, measured by the kernel itself.
//!
//! A kernel that claims to be as fast on a hypervisor as on the bare machine must be able to say how fast that is, and the
//! figure must be the same tomorrow and on another machine, or nobody will notice when it gets worse. So this measures in the
//! unit of [`TimeOps::cycles`](arch::TimeOps::cycles), and `cargo xtask bench` runs it where that unit is one instruction, the
//! hypervisor's included.
//!
//! `bench=all` on the command line measures instead of starting the monitor, `bench=NAME,NAME` some operations, `bench=list` names
//! them. For each there are up to four lines, which tools read too:
//!
//! ```text
//! bench NAME MIN MEDIAN MAX
//! by-hand NAME MIN MEDIAN MAX COMPILED BYTES
//! calls NAME KIND=COUNT KIND=COUNT
//! marked NAME OPERATIONS
//! ```
//!
//! The three numbers are the cost of one operation in the cheapest, the middle and the dearest batch. The second line is there
//! where the platform has the same operation written by hand; its last numbers are how many bytes the operation's instructions have as
//! compiled, and by hand. The others in an image that counts what goes below the kernel; the last says how many operations a batch had, for whoever counts
//! outside of it ([`Mark`](arch::Mark)). User mode is
//! measured by programs in the boot module, whose names begin with `bench-`, and which print such lines themselves; they print a decimal
//! more than the kernel, which rounds to whole ticks. The last line is `benches: done`.
//!
//! A name with a dot is that of one operation of the border, by its group and as the trait spells it, with a word behind a dash if there are
//! several ways to do it; all other names are of what the kernel makes of them.

mod allocator;
mod by_hand;
mod interrupts;
mod locks;
mod mappings;
mod meter;
mod operations;
pub mod programs;
mod scratch;
mod spaces;
mod threads;

use crate::power;
use arch::ByHand;
use meter::Figures;

/// The status of a kernel that was asked for an operation it does not have, or has no figure for one.
const FAILED: u8 = 1;

/// An operation that can be measured.
struct Benchmark {
    name: &'static str,
    run: fn() -> Figures,
    /// The same written by hand, where a platform has it.
    by_hand: Option<ByHand>,
}

impl Benchmark {
    const fn new(name: &'static str, run: fn() -> Figures) -> Self {
        Self {
            name,
            run,
            by_hand: None,
        }
    }

    /// One that is to be as good as what is written by hand.
    const fn leaf(name: &'static str, by_hand: ByHand, run: fn() -> Figures) -> Self {
        Self {
            name,
            run,
            by_hand: Some(by_hand),
        }
    }

    /// Measures it and prints its lines.
    fn report(&self) {
        let compiled = (self.run)();
        compiled.print(self.name);
        if let Some(by_hand) = self.by_hand.and_then(by_hand::measure)
            && let (Some(bytes), Some(bytes_by_hand)) = (compiled.bytes, by_hand.bytes)
        {
            println!("by-hand {} {by_hand} {bytes} {bytes_by_hand}", self.name);
        }
    }
}

const GROUPS: &[&[Benchmark]] = &[
    operations::IRQ,
    operations::CPU,
    operations::MMU,
    operations::TIME,
    operations::SMP,
    operations::CONSOLE,
    interrupts::BENCHMARKS,
    threads::BENCHMARKS,
    locks::BENCHMARKS,
    allocator::BENCHMARKS,
    mappings::BENCHMARKS,
    spaces::BENCHMARKS,
];

/// Measures what `which` names and ends the kernel.
pub fn run(which: &str) -> ! {
    if which == "list" {
        names().for_each(|name| println!("bench: {name}"));
        power::exit(0)
    }
    if let Some(unknown) = which
        .split(',')
        .find(|word| *word != "all" && !names().any(|name| name == *word))
    {
        println!("no benchmark is called `{unknown}`; `bench=list` names them");
        power::exit(FAILED)
    }
    allocator::settle();
    let chosen = |name: &str| which.split(',').any(|word| word == "all" || word == name);
    own()
        .filter(|benchmark| chosen(benchmark.name))
        .for_each(Benchmark::report);
    let mut status = 0;
    for name in programs::NAMES.iter().filter(|name| chosen(name)) {
        if let Err(why) = programs::run(name) {
            println!("{name}: {why}");
            status = FAILED;
        }
    }
    println!("benches: done");
    power::exit(status)
}

/// What the kernel measures in itself.
fn own() -> impl Iterator<Item = &'static Benchmark> {
    GROUPS.iter().copied().flatten()
}

/// The names of all that can be measured.
fn names() -> impl Iterator<Item = &'static str> {
    own()
        .map(|benchmark| benchmark.name)
        .chain(programs::NAMES.iter().copied())
}
