//! The head of each CPU's own area, at the GS base on every platform.
//!
//! Everything hot that belongs to "this CPU" hangs on one fact: a segment prefix costs nothing, and cannot be separated from
//! the access by a migration. The first 64 bytes of the area belong to the platform. Xen keeps its `vcpu_info` there, so that
//! masking events is one store; a VMI ROM gets them for its virtual interrupt flag, for the same reason. Amsden proposed
//! this in March 2006 (LKML, 4421D379.3090405@vmware.com); Xen's `VCPUOP_register_vcpu_info` made it possible in 2007.

use core::arch::asm;
use core::cell::UnsafeCell;

/// Offset from the GS base of the bytes that belong to the platform.
pub const PLATFORM_OFFSET: usize = 0;

/// How many bytes at the start of the area belong to the platform.
pub const PLATFORM_SIZE: usize = 64;

/// Number of a CPU: 0 is the one the kernel was started on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CpuId(pub u32);

/// The head of one CPU's area. Its layout is known to assembly code and to hypervisors, so it is `repr(C)`, and aligned so
/// that the platform's part never crosses a page.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct PerCpu {
    /// The platform's bytes: `vcpu_info` under Xen, the ROM's under VMI. Changed by others at any time.
    pub platform: UnsafeCell<[u8; PLATFORM_SIZE]>,
    /// The area's own address, so that one load turns GS into a pointer.
    this: UnsafeCell<*const PerCpu>,
    /// The CPU's number.
    cpu: CpuId,
}

// SAFETY: `platform` is only touched by single instructions of the platform crates or by the hypervisor, `this` only before
// the area is published; the rest does not change.
unsafe impl Sync for PerCpu {}

const _: () = assert!(core::mem::offset_of!(PerCpu, platform) == PLATFORM_OFFSET);
const _: () = assert!(core::mem::offset_of!(PerCpu, this) == THIS_OFFSET);

/// Offset from the GS base of the area's own address.
const THIS_OFFSET: usize = PLATFORM_OFFSET + PLATFORM_SIZE;

impl PerCpu {
    /// The area of CPU number `cpu`, to be prepared before it is loaded into GS.
    pub const fn new(cpu: CpuId) -> Self {
        Self {
            platform: UnsafeCell::new([0; PLATFORM_SIZE]),
            this: UnsafeCell::new(core::ptr::null()),
            cpu,
        }
    }

    /// Completes the area with its own address; returns what belongs into the GS base.
    ///
    /// # Safety
    /// No CPU uses this area yet.
    pub unsafe fn prepare(&'static self) -> u64 {
        // SAFETY: the caller promises that nobody else looks.
        unsafe { *self.this.get() = self };
        self as *const Self as u64
    }

    /// The area of the executing CPU, from the moment the platform's boot code has loaded GS.
    ///
    /// The answer names *this* CPU only as long as the caller cannot be moved to another.
    #[inline(always)]
    pub fn current() -> &'static Self {
        let this: *const Self;
        // SAFETY: the platform loads GS with a prepared area before it calls anything in the core.
        unsafe {
            asm!("mov {}, gs:[{offset}]", out(reg) this, offset = const THIS_OFFSET,
                 options(pure, readonly, nostack, preserves_flags));
            &*this
        }
    }

    /// This CPU's number.
    #[inline(always)]
    pub fn cpu(&self) -> CpuId {
        self.cpu
    }
}
