//! What the kernel's tests need to know of the programs they run.
//!
//! A kernel proves its user mode by programs: those that must work, and those that must be stopped. Both kinds are in one
//! executable, `programs`, which is handed to the kernel as its boot module and behaves as its first argument says. The kernel's
//! tests cannot look inside it, so both sides share this library: the list of what to run, and how each run must end.
//!
//! The programs speak Linux's system calls, with its numbers, registers and error numbers, so the same executable runs on a
//! Linux host, and the list is checked there as well ([`Case::on_linux`]): where the kernel and Linux differ, one of them is wrong.

#![no_std]

pub mod cases;
pub mod counting;

pub use cases::{Case, End, OnLinux, Signal};
