//! The kernel's console on its way to the user's terminal.
//!
//! Bytes are shown as they come, so that typing at the kernel's prompt feels like typing; yet the addresses of a
//! backtrace gain names on the way. [`stream`] does the first, [`symbolise`] knows the names.

pub mod stream;
pub mod symbolise;
