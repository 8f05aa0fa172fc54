//! The platform without a hypervisor: ring 0, on the machine as the firmware left it.
//!
//! It is the reference that the other two are compared with. Every operation is the instruction that the processor's
//! manual gives for it, and reads as that; where Xen needs a hypercall and VMI a patched call site, the file of the same
//! name here has one line. What is long here is what a hypervisor would do for its guests: finding the memory, the clocks
//! and the interrupt controllers of a machine that nobody describes in one place.
//!
//! This is also the one crate with privileged instructions, which `clippy.toml` forbids to all others. A platform that
//! boots as this one does and differs afterwards (`subarch-vmi`) builds on it: see [`entry_with!`].
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "privileged instructions live here, and only here"
)]

pub mod apic;
pub mod boot;
mod by_hand;
pub mod console;
pub mod cpu;
mod entry;
pub mod ioapic;
pub mod ipi;
mod irq;
pub mod mmu;
mod pic;
mod port;
pub mod power;
pub mod smp;
pub mod time;
pub mod trap;

pub use arch::VirtAddr;
pub use bootloader_api;
pub use entry::Entry;

use arch::by_hand::Batch;
use arch::{ByHand, Slot};
use core::fmt;

/// Bare metal, or a virtual machine that looks like it.
#[derive(Debug)]
pub enum Native {}

impl arch::Subarch for Native {
    const NAME: &'static str = "native";

    fn describe() -> impl fmt::Display {
        cpu::Machine
    }

    /// # Safety
    /// As [`Subarch::by_hand`](arch::Subarch::by_hand) asks.
    unsafe fn by_hand(operation: ByHand, slot: Slot, rounds: u64) -> Option<Batch> {
        // SAFETY: the caller vouches for the page.
        Some(unsafe { by_hand::run(operation, slot, rounds) })
    }
}
