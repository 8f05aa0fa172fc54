//! An interrupt flag of the kernel's own.
//!
//! A hypervisor cannot let its guest mask the processor's interrupts: they are the hypervisor's. So the guest's flag is a byte in
//! memory, the processor's stays set, and an interrupt that arrives while the byte says no is held back until it says
//! yes. That is the mechanism behind Xen's upcall mask and VMware's VMI, and this module is a complete one, small
//! enough to be read: where the flag lives ([`flag`]), how interrupts get past it ([`gates`](crate::gates), [`entry`] and, for those
//! that cannot be held back, [`anywhere`]), and how they are made up for ([`replay`]).
//!
//! The kernel notices nothing: its handlers see the frames that hardware would have pushed, with the flag it believes in.

pub mod anywhere;
pub mod entry;
pub mod flag;
pub mod operations;
pub mod replay;
