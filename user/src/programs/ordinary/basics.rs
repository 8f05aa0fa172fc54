//! The simplest programs: they speak, call, wait, or only burn time.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::print::println;
use crate::runtime::{syscall, time};
use core::hint::black_box;

/// Prints its arguments and its environment.
pub fn hello(arguments: &Arguments) -> u8 {
    println!("hello from a program");
    for (index, argument) in (0..).map_while(|index| Some((index, arguments.get(index)?))) {
        println!("argument {index}: {argument}");
    }
    for variable in arguments.environment() {
        println!("environment: {variable}");
    }
    0
}

/// Exits with the status it is told.
pub fn exit(arguments: &Arguments) -> u8 {
    arguments.number(1, 0) as u8
}

/// Makes many system calls. Check 1: each returns the same number.
pub fn null_calls(arguments: &Arguments) -> u8 {
    let own = syscall::getpid();
    for _ in 0..arguments.number(1, 10_000) {
        require_equal(1, syscall::getpid(), own, "the process's number");
    }
    0
}

/// Lets others run, many times.
pub fn yields(arguments: &Arguments) -> u8 {
    (0..arguments.number(1, 1000)).for_each(|_| syscall::sched_yield());
    0
}

/// Sleeps. Check 1: not less than it was told.
pub fn sleep(arguments: &Arguments) -> u8 {
    let milliseconds = arguments.number(1, 10) as u64;
    let before = time::now();
    time::sleep(milliseconds);
    require(
        1,
        time::now() - before >= milliseconds * 1_000_000,
        "the sleep was too short",
    );
    0
}

/// Runs for ever and never calls the kernel.
pub fn busy(_: &Arguments) -> u8 {
    let mut rounds = 0_u64;
    loop {
        rounds = black_box(rounds.wrapping_add(1));
    }
}

/// Counts until its time is over, and prints how far it came.
pub fn count(arguments: &Arguments) -> u8 {
    let end = time::now() + arguments.number(1, 10) as u64 * 1_000_000;
    let mut rounds = 0_u64;
    while time::now() < end {
        (0..1000).for_each(|step| {
            black_box(step);
        });
        rounds += 1000;
    }
    println!("count {rounds}");
    0
}

/// Looks at the clock again and again. Check 1: it never goes back. Check 2: it moves.
pub fn clock(_: &Arguments) -> u8 {
    let first = time::now();
    let mut last = first;
    for _ in 0..1000 {
        let now = time::now();
        require(1, now >= last, "the clock went back");
        last = now;
    }
    require(2, last > first, "the clock stands still");
    0
}
