//! The little that a program needs between the kernel and its own code.
//!
//! No C library: the programs are there to try the kernel, so every system call is made where it is written, with the arguments
//! that are written, and nothing else happens behind the scenes. In particular no code here uses floating-point or vector registers,
//! which is how `fpu` can watch them across anything it calls.

pub mod arguments;
pub mod check;
pub mod child;
pub mod errno;
pub mod lock;
pub mod memory;
pub mod pattern;
pub mod print;

mod start;
pub mod syscall;
pub mod thread;
pub mod time;
