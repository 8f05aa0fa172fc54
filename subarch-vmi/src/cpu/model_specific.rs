//! Model-specific registers: bases of segments, and where `syscall` leads.

use crate::site::site;

/// The registers that say where `syscall` leads, by which selectors, and which flags it clears (AMD64 manual, vol. 2, 6.1.1).
const SYSTEM_CALL: [u32; 3] = [0xc000_0081, 0xc000_0082, 0xc000_0084];

/// Tells the ROM where `syscall` leads, which this CPU's boot code has told the processor alone.
pub fn announce_system_call() {
    for register in SYSTEM_CALL {
        // SAFETY: the value is the one that is there already.
        unsafe { write(register, read(register)) };
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

/// Writes `value` to `register`.
///
/// # Safety
/// The processor has it, and whatever it changes keeps everybody's promises.
pub unsafe fn write(register: u32, value: u64) {
    // SAFETY: the caller vouches for the register.
    unsafe {
        site!(Wrmsr, "wrmsr", in("ecx") register, in("eax") value as u32, in("edx") value >> 32, clobber_abi("sysv64"));
    }
}
