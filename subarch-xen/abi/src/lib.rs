//! Memory that both Xen and its guests know the layout of.
//!
//! Unlike a hypercall's arguments these structures live on: Xen writes them while the guest runs, and the guest reads, and
//! sometimes writes, without asking. All their fields are therefore atomics, which makes the sharing visible in the types and
//! costs nothing: a relaxed load is a `mov`. What can be found out from them without asking Xen, the time above all, is beside them.
//!
//! They are the same for every kind of guest, so two have them from here: the kernel as PV guest (`subarch-xen`), and the ROM by which a
//! kernel for bare machines becomes a guest that knows Xen (`vmi-rom`).
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

pub mod clock;
pub mod ring;
pub mod shared_info;
pub mod vcpu_info;

pub use clock::Rate;
pub use ring::Ring;
pub use shared_info::SharedInfo;
pub use vcpu_info::{TimeInfo, VcpuInfo};
