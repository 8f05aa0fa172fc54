//! The 64 bytes that Xen shares with each virtual CPU.
//!
//! This is where a PV kernel's interrupt flag lives. The kernel runs in ring 3 and cannot touch the processor's own, so
//! Xen looks at a byte in memory instead; and because Xen lets the guest choose where that memory is, we choose the head
//! of the per-CPU area, one segment prefix away. Source: Xen's public header `xen.h`, `vcpu_info` and `vcpu_time_info`;
//! `arch-x86/xen.h` for the fault address.

use core::sync::atomic::{AtomicI8, AtomicU8, AtomicU32, AtomicU64};

/// `struct vcpu_info`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct VcpuInfo {
    /// Not zero if an event waits for this CPU.
    pub upcall_pending: AtomicU8,
    /// Not zero if events must wait.
    pub upcall_mask: AtomicU8,
    /// Which words of [`SharedInfo::pending`](super::SharedInfo::pending) have something for this CPU.
    pub pending_selector: AtomicU64,
    /// The address of the last page fault, as CR2 would give it.
    pub fault_address: AtomicU64,
    reserved: AtomicU64,
    /// How to read the clock on this CPU.
    pub time: TimeInfo,
}

impl VcpuInfo {
    /// A place for them: nothing has happened.
    pub const fn new() -> Self {
        Self {
            upcall_pending: AtomicU8::new(0),
            upcall_mask: AtomicU8::new(0),
            pending_selector: AtomicU64::new(0),
            fault_address: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
            time: TimeInfo::new(),
        }
    }
}

/// Offset of [`VcpuInfo::upcall_pending`], for instructions relative to a segment.
pub const UPCALL_PENDING: usize = core::mem::offset_of!(VcpuInfo, upcall_pending);

/// Offset of [`VcpuInfo::upcall_mask`], for instructions relative to a segment.
pub const UPCALL_MASK: usize = core::mem::offset_of!(VcpuInfo, upcall_mask);

/// Offset of [`VcpuInfo::fault_address`], for an instruction relative to a segment.
pub const FAULT_ADDRESS: usize = core::mem::offset_of!(VcpuInfo, fault_address);

/// `struct vcpu_time_info`: one moment on both clocks, and the rate between them.
#[repr(C)]
#[derive(Debug, Default)]
pub struct TimeInfo {
    /// Odd while Xen is writing.
    pub version: AtomicU32,
    padding: AtomicU32,
    /// The cycle counter at the moment.
    pub cycles: AtomicU64,
    /// System time at the moment, in nanoseconds since Xen started.
    pub system_time: AtomicU64,
    /// Nanoseconds per cycle, in units of 2^-32, after the shift.
    pub multiplier: AtomicU32,
    /// How far to shift cycles, to the left if positive, before they are multiplied.
    pub shift: AtomicI8,
    flags: AtomicU8,
    reserved: [AtomicU8; 2],
}

impl TimeInfo {
    const fn new() -> Self {
        Self {
            version: AtomicU32::new(0),
            padding: AtomicU32::new(0),
            cycles: AtomicU64::new(0),
            system_time: AtomicU64::new(0),
            multiplier: AtomicU32::new(0),
            shift: AtomicI8::new(0),
            flags: AtomicU8::new(0),
            reserved: [const { AtomicU8::new(0) }; 2],
        }
    }
}

const _: () = assert!(size_of::<VcpuInfo>() == 64);
const _: () = assert!(size_of::<TimeInfo>() == 32);
const _: () = assert!(core::mem::offset_of!(VcpuInfo, fault_address) == 16);
const _: () = assert!(core::mem::offset_of!(VcpuInfo, time) == 32);
