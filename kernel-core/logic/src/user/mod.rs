//! What a kernel must know of programs before it lets one run, as far as that needs no machine.
//!
//! A program comes as a file that may be broken or hostile, asks for memory by addresses of its own choosing, and learns how it
//! was started from a stack that somebody has to fill. All of this is reading, counting and refusing: the executable file
//! ([`elf`]), the address space ([`regions`]), the first stack ([`stack`], with the [`auxiliary`] values), and the numbers by
//! which a kernel answers ([`errno`], [`signal`], [`wait_status`]). The numbers are Linux's for x86-64, so that its programs run.

mod access;
pub mod auxiliary;
pub mod elf;
pub mod errno;
mod numbered;
pub mod regions;
pub mod signal;
pub mod stack;
pub mod wait_status;

pub use access::UserAccess;
