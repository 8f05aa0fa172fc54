//! What the border between program and kernel costs, seen from the program.

mod faults;
mod memory;
mod processes;
mod sample;
mod system_calls;

use crate::Program;

/// All benchmarks.
pub(crate) const PROGRAMS: &[Program] = &[
    Program::new("bench-null-call", "", system_calls::null),
    Program::new("bench-call-yield-alone", "", system_calls::yield_alone),
    Program::new("bench-yield", "", processes::yields),
    Program::new("bench-fork", "", processes::fork),
    Program::new("bench-fault", "", faults::anonymous),
    Program::new("bench-cow", "", faults::copy),
    Program::new("bench-owner", "", faults::owner),
    Program::new("bench-memory", "", memory::all),
];
