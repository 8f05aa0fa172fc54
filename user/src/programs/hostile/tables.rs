//! Where the kernel's tables lie: instructions that old processors let everybody execute, and new ones forbid if the kernel asks (user-mode
//! instruction prevention, Intel SDM, vol. 3, 2.5). The answer must lead nowhere.

use super::super::runtime::arguments::Arguments;
use crate::runtime::memory;
use core::arch::asm;

/// Executes one of the instructions. If it is permitted and tells an address, the program tries to read there, which must be its end.
pub fn run(arguments: &Arguments) -> u8 {
    let mut table = [0_u16; 8];
    let place = table.as_mut_ptr();
    // SAFETY: each instruction writes at most ten bytes to `table`, or changes nothing.
    unsafe {
        match arguments.required(1) {
            "sgdt" => asm!("sgdt [{}]", in(reg) place),
            "sidt" => asm!("sidt [{}]", in(reg) place),
            "sldt" => asm!("sldt word ptr [{}]", in(reg) place),
            "str" => asm!("str word ptr [{}]", in(reg) place),
            "smsw" => asm!("smsw word ptr [{}]", in(reg) place),
            other => arguments.refuse("does not know the instruction", other),
        }
    }
    let address = table[1..5]
        .iter()
        .rev()
        .fold(0, |address, part| address << 16 | usize::from(*part));
    if address != 0 {
        memory::read(address);
        return super::survived("reading a table of the kernel");
    }
    0
}
