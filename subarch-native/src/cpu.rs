//! The processor: its identity, its segments, its control registers.
//!
//! What the processor can do is asked of CPUID before every bit that is set. That is more than politeness: some machines
//! answer a control bit they do not know by an exception, and QEMU's emulation of some answers it by nothing at all, for
//! ever.

mod extended;
mod features;
mod segments;
pub(crate) mod stacks;
mod system_call;
mod user;

pub use extended::components;
pub use features::{Features, set_up};
pub use segments::{TASK_STATE, USER_CODE, USER_STACK, code_segment, load_segments, set_system_call_stack, task_state};
pub use stacks::stack_of;
pub use system_call::{system_call_registers, take_system_calls};

use crate::Native;
use arch::{CpuOps, TrapFrame, UserContext, VirtAddr};
use core::arch::x86_64::{__cpuid_count, CpuidResult};
use core::fmt::{self, Write};
use pc_firmware::rates::hypervisor;
use x86_64::registers::control::Cr2;

impl CpuOps for Native {
    const USER_CODE: u16 = USER_CODE;
    const USER_STACK: u16 = USER_STACK;

    #[inline(always)]
    fn page_fault_address() -> VirtAddr {
        // SAFETY: a page fault's address is canonical: any other is a general protection fault (Intel SDM, vol. 3, 6.15).
        unsafe { VirtAddr::new_unsafe(Cr2::read_raw()) }
    }

    #[inline(always)]
    fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
        cpuid(leaf, subleaf)
    }

    /// # Safety
    /// As [`CpuOps::load_user`] asks.
    #[inline]
    unsafe fn load_user(previous: &UserContext, next: &UserContext) {
        // SAFETY: the caller's promises are those that this asks for.
        unsafe { user::load(previous, next) };
    }

    /// # Safety
    /// As [`CpuOps::enter_user`] asks.
    unsafe fn enter_user(frame: &TrapFrame) -> ! {
        // SAFETY: as above.
        unsafe { user::enter(frame) }
    }

    fn extended_state() -> u64 {
        components()
    }
}

/// Reads one leaf of the processor's identification.
#[inline(always)]
pub fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
    __cpuid_count(leaf, subleaf)
}

/// Whether the processor says that Intel made it.
pub fn is_intel() -> bool {
    cpuid(0, 0).ecx.to_le_bytes() == *b"ntel"
}

/// Prints in one phrase what the kernel found beneath itself.
#[derive(Clone, Copy, Debug)]
pub struct Machine;

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(hypervisor) = hypervisor(cpuid) else {
            return out.write_str("PC");
        };
        out.write_str("virtual PC, hypervisor signature '")?;
        let letters = hypervisor.signature.iter().filter(|byte| byte.is_ascii_graphic());
        letters
            .map(|byte| char::from(*byte))
            .try_for_each(|letter| out.write_char(letter))?;
        out.write_str("'")
    }
}
