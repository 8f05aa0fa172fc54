//! Memory that both Xen and the guest know the layout of.
//!
//! Unlike a hypercall's arguments these structures live on: Xen writes them while the guest runs, and the guest reads, and
//! sometimes writes, without asking. All their fields are therefore atomics, which makes the sharing visible in the types and
//! costs nothing: a relaxed load is a `mov`.

pub mod shared_info;
pub mod start_info;
pub mod vcpu_info;

pub use shared_info::SharedInfo;
pub use start_info::{Malformed, StartInfo};
pub use vcpu_info::VcpuInfo;
