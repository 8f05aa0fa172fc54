//! What a PC's firmware and its loaders leave in memory, read as the untrusted data that it is.
//!
//! Bare metal is the one platform where nobody describes the machine in one place. Tables of 1981, 1997 and 2023 each tell a part,
//! some of it wrong, and a kernel that believes them faults before it can print. Nothing of this needs ring 0 or a machine: it
//! is bytes in and facts out. So it is a library of its own, without a privileged instruction, where tests on the host feed it
//! tables of real machines and random ones; `subarch-native` shows it the memory and acts on what it finds.
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

pub mod acpi;
mod apic_ids;
pub mod date;
mod input;
pub mod physical;
pub mod pvh;
pub mod rates;
mod serial;

pub use apic_ids::ApicIds;
pub use input::Input;
pub use serial::{SERIAL_LINES, SerialLine};
