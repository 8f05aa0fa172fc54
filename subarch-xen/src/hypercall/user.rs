//! What Xen must know before a program runs, beside its page tables.
//!
//! Sources: Xen's public headers `xen.h` (`vm_assist`) and `arch-x86/xen-x86_64.h` (`stack_switch`, segment bases).

use super::callback::KERNEL_DATA;
use super::{Call, Refused, call};

/// Has Xen push its frames onto the stack that ends at `end`, whenever it comes from user mode on this CPU.
///
/// # Errors
/// None for the kernel's own selector.
///
/// # Safety
/// The stack is mapped, and nobody else's.
pub unsafe fn switch_stack(end: u64) -> Result<u64, Refused> {
    // SAFETY: the caller vouches for the stack.
    unsafe { call(Call::StackSwitch, [KERNEL_DATA.into(), end]) }
}

/// Sets the base of FS on this CPU.
///
/// # Errors
/// `EINVAL` for a base that is no address.
#[inline(always)]
pub fn set_fs_base(base: u64) -> Result<u64, Refused> {
    const FS: u64 = 0;
    // SAFETY: the kernel addresses nothing by FS.
    unsafe { call(Call::SetSegmentBase, [FS, base]) }
}

/// Takes Xen's table of all the machine's frames out of the programs' view, where it is by default.
///
/// # Errors
/// `EINVAL` from a Xen that cannot (before 4.6).
pub fn hide_machine_table() -> Result<u64, Refused> {
    const ENABLE: u64 = 0;
    const STRICT_MACHINE_TABLE: u64 = 32;
    // SAFETY: for the kernel the table stays where it is.
    unsafe { call(Call::VmAssist, [ENABLE, STRICT_MACHINE_TABLE]) }
}
