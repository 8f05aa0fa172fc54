//! The part of the kernel that needs no machine.
//!
//! A bug in an allocator or a parser is hard to see from inside a virtual machine and easy to see from a test that ran ten
//! thousand random cases in a second. So whatever can be said without a platform is said here, against small traits, and is
//! tested on the host; `kernel-core` adds the platform.
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

extern crate alloc;

mod atomic;
pub mod backtrace;
pub mod bytes;
pub mod command_line;
pub mod frames;
pub mod line;
pub mod lock_order;
pub mod lock_state;
pub mod paging;
pub mod sched;
pub mod user;
