//! Programs that do what programs may do, and check that it works.

mod auxiliary;
mod basics;
mod calls;
mod copies;
mod descent;
mod fpu;
mod fpu_image;
mod heap;
mod memory;
mod pointers;
mod processes;
mod registers;
mod shootdown;
mod stack;
mod threads;

use crate::Program;

/// All of them.
pub(crate) const PROGRAMS: &[Program] = &[
    Program::new("hello", "[ARGUMENT…]", basics::hello),
    Program::new("exit", "STATUS", basics::exit),
    Program::new("null-calls", "[COUNT]", basics::null_calls),
    Program::new("yield", "[COUNT]", basics::yields),
    Program::new("sleep", "[MILLISECONDS]", basics::sleep),
    Program::new("busy", "", basics::busy),
    Program::new("count", "[MILLISECONDS]", basics::count),
    Program::new("clock", "", basics::clock),
    Program::new("auxiliary", "", auxiliary::run),
    Program::new("memory", "[BYTES]", memory::run),
    Program::new("brk", "[BYTES]", heap::run),
    Program::new("stack-grow", "[KIBIBYTES]", stack::run),
    Program::new("registers", "[ROUNDS]", registers::run),
    Program::new("fpu", "SEED [ROUNDS] [yield]", fpu::run),
    Program::new("fork-tree", "[DEPTH]", descent::run),
    Program::new("wait", "", processes::wait),
    Program::new("kill", "", processes::kill),
    Program::new("fork-exit", "[COUNT]", processes::fork_exit),
    Program::new("cow-storm", "[ROUNDS] [PROCESSES] [PAGES]", copies::storm),
    Program::new("cow-threads", "[ROUNDS]", copies::with_threads),
    Program::new("threads", "[COUNT] [ROUNDS]", threads::run),
    Program::new("futex", "", threads::futex),
    Program::new("thread-exit", "", threads::exit_of_all),
    Program::new("thread-shootdown", "[ROUNDS] [READERS]", shootdown::remap),
    Program::new("revoke", "protect|read-only|unmap", shootdown::revoke),
    Program::new("bad-pointers", "", pointers::run),
    Program::new("bad-calls", "", calls::run),
    Program::new("no-such-calls", "", calls::no_such_calls),
    Program::new("fs-base", "", calls::fs_base),
];
