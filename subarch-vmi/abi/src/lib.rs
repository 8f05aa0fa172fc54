//! VMI-64 as data: what a kernel and a ROM must agree on, and the checks each owes the other.
//!
//! A ROM is somebody else's code, found by its signature in memory that anybody could have filled. Before a kernel calls
//! the first byte of it, and before it changes the first byte of itself, everything the ROM claims has to be looked at:
//! its header, its size, where its entries lead, and each answer it gives about a call site. All of that is arithmetic
//! on bytes and numbers, so all of it is here, away from the machine, where the host's tests can throw anything at it.
//!
//! The crate has three users, which is how they stay in agreement: `subarch-vmi` (finds ROMs, has the call sites),
//! the ROMs in `vmi-rom` (answer), and `xtask` (seals a linked ROM by [`seal`]). The whole ABI is explained in
//! `docs/vmi-64.md`; its ancestor is VMware's VMI 3.0, Linux 2.6.21 to 2.6.36, `arch/x86/include/asm/vmi.h`.
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

pub mod answer;
pub mod ap_state;
pub mod call;
pub mod clobbers;
pub mod header;
pub mod init;
pub mod nop;
pub mod patch;
pub mod scan;
pub mod seal;
pub mod site;
pub mod values;

pub use answer::{Answer, AnswerError, RawAnswer, RomMemory};
pub use ap_state::ApState;
pub use call::{Call, Native};
pub use clobbers::Clobbers;
pub use header::{Header, HeaderError};
pub use init::{InitRecord, Refusal};
pub use patch::PatchError;
pub use site::{SiteError, SiteRecord};

/// The ABI's major number: a ROM with another one is not understood. VMI 3.0 was the 32-bit ancestor, and `u8` leaves room.
pub const MAJOR: u8 = 64;

/// The ABI's minor number: raised when calls are appended. A kernel takes any minor, since it asks for each call.
pub const MINOR: u8 = 3;

/// Size of a page, the grain in which a ROM's copy and its data are mapped.
pub const PAGE_SIZE: usize = 4096;

/// How many bytes at the GS base belong to the ROM, on every CPU.
pub const PER_CPU_SIZE: usize = 64;
