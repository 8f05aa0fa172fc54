//! Reaching for the kernel's memory.

use crate::runtime::arguments::Arguments;
use crate::runtime::child;
use crate::runtime::memory;
use crate::runtime::print::println;
use core::mem::transmute;
use user_programs::{End, Signal};

/// Reads a word of the kernel.
pub fn read(arguments: &Arguments) -> u8 {
    let address = arguments.number(1, 0xffff_ffff_8000_0000);
    let value = memory::read(address);
    println!("programs: read {value:#018x} at {address:#018x}");
    crate::status::SURVIVED
}

/// Writes a word of the kernel.
pub fn write(arguments: &Arguments) -> u8 {
    memory::write(arguments.number(1, 0xffff_ffff_8000_0000), 0);
    super::survived("writing")
}

/// Jumps into the kernel.
pub fn jump(arguments: &Arguments) -> u8 {
    let address = arguments.number(1, 0xffff_ffff_8000_0000);
    // SAFETY: there is no function; the kernel ends this process.
    let function = unsafe { transmute::<usize, extern "C" fn()>(address) };
    function();
    super::survived("jumping")
}

/// Lets a child each read one word in every page, or at every step, of a range. Check 1: each is killed for it.
pub fn scan(arguments: &Arguments) -> u8 {
    let start = arguments.number(1, 0xffff_8000_0000_0000);
    let step = arguments.number(3, memory::PAGE);
    for address in (0..arguments.number(2, 16)).map(|index| start.wrapping_add(index * step)) {
        child::must_end(1, End::Killed(Signal::Segmentation), || {
            let value = memory::read(address);
            println!("programs: read {value:#018x} at {address:#018x}");
            crate::status::SURVIVED
        });
    }
    0
}
