//! `programs`: one executable that behaves as its first argument says.
//!
//! A kernel has no file system before it has user mode, and so the programs that try its user mode come as one file. Its name, or the
//! first argument if the name is `programs`, chooses: `hello`, `fork-tree 3`, `privileged cli`. Each program checks something and
//! exits with 0 if it found everything right, with the number of the check that failed, which it also prints, or with
//! one of the numbers in [`status`]. Which runs must end how is listed in the library beside this program.

#![no_std]
#![no_main]

mod bench;
mod hostile;
mod ordinary;
mod runtime;

use runtime::arguments::Arguments;
use runtime::print::println;

/// Exit statuses that mean the same in every program.
mod status {
    /// There is no such program, or it does not take these arguments.
    pub const USAGE: u8 = 100;
    /// The program panicked, and has said why.
    pub const PANIC: u8 = 101;
    /// The program was allowed what it must not be allowed.
    pub const SURVIVED: u8 = 102;
}

/// A program: its name, what it expects behind it, and what it does.
pub(crate) struct Program {
    name: &'static str,
    parameters: &'static str,
    /// Returns the exit status.
    run: fn(&Arguments) -> u8,
}

impl Program {
    const fn new(name: &'static str, parameters: &'static str, run: fn(&Arguments) -> u8) -> Self {
        Self { name, parameters, run }
    }
}

/// Those that list the others, and all the others.
const GROUPS: [&[Program]; 4] = [
    &[
        Program::new("list", "", list),
        Program::new("list-ordinary", "", |_| list_cases(user_programs::cases::ORDINARY)),
        Program::new("list-hostile", "", |_| list_cases(user_programs::cases::HOSTILE)),
    ],
    ordinary::PROGRAMS,
    hostile::PROGRAMS,
    bench::PROGRAMS,
];

/// Runs the program that `arguments` name.
fn run(arguments: &Arguments) -> u8 {
    let name = name(arguments);
    let (name, arguments) = match name {
        "programs" | "programs.elf" if arguments.get(1).is_none() => ("list", *arguments),
        "programs" | "programs.elf" => (arguments.required(1), arguments.shifted()),
        name => (name, *arguments),
    };
    match GROUPS.into_iter().flatten().find(|program| program.name == name) {
        Some(program) => (program.run)(&arguments),
        None => arguments.refuse("is not a program; `list` names them", ""),
    }
}

/// The last component of the first argument.
fn name(arguments: &Arguments) -> &'static str {
    let path = arguments.get(0).unwrap_or("programs");
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Prints the programs and what they expect.
fn list(_: &Arguments) -> u8 {
    for program in GROUPS.into_iter().flatten() {
        println!("{} {}", program.name, program.parameters);
    }
    0
}

/// Prints runs and the ends that are right.
fn list_cases(cases: &[user_programs::Case]) -> u8 {
    for case in cases {
        for (index, end) in case.ends.iter().enumerate() {
            match index {
                0 => println!("{case}: {end}"),
                _ => println!("    or {end}"),
            }
        }
    }
    0
}
