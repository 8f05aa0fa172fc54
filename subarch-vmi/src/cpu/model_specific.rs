//! Model-specific registers: bases of segments, and where `syscall` leads.

use super::by_rom::set_register;
use crate::site::site;

/// The registers that say where `syscall` leads, by which selectors, and which flags it clears (AMD64 manual, vol. 2, 6.1.1).
const SYSTEM_CALL: [u32; 3] = [0xc000_0081, 0xc000_0082, 0xc000_0084];

/// Tells the ROM where `syscall` leads, which this CPU's boot code has told the processor alone.
pub fn announce_system_call() {
    for register in SYSTEM_CALL {
        // SAFETY: the value is the one that is there already.
        unsafe {
            let value = read(register);
            set_register(register, value as u32, (value >> 32) as u32);
        }
    }
}

/// Reads `register`.
///
/// # Safety
/// The processor has it, and reading it changes nothing.
unsafe fn read(register: u32) -> u64 {
    let (low, high): (u64, u64);
    // SAFETY: the caller vouches for the register.
    unsafe { site!(Rdmsr, "rdmsr", in("ecx") register, out("rax") low, out("rdx") high, clobber_abi("sysv64")) }
    high << 32 | low
}
