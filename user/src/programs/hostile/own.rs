//! Wrong uses of a program's own memory, and instructions that fail.

use super::survived;
use crate::runtime::arguments::Arguments;
use crate::runtime::memory;
use core::arch::asm;
use core::hint::black_box;
use core::mem::transmute;

/// `ret`, as bytes that are data.
static CODE: [u8; 16] = [0xc3; 16];

/// Reads at address 0.
pub fn null_read(_: &Arguments) -> u8 {
    memory::read(black_box(0));
    survived("reading at address 0")
}

/// Writes the program's own code.
pub fn write_text(_: &Arguments) -> u8 {
    memory::write(write_text as *const () as usize, 0);
    survived("writing code")
}

/// Executes constants.
pub fn execute_data(_: &Arguments) -> u8 {
    execute(black_box(&CODE).as_ptr());
    survived("executing data")
}

/// Executes the stack.
pub fn execute_stack(_: &Arguments) -> u8 {
    let code = CODE;
    execute(black_box(&code).as_ptr());
    survived("executing the stack")
}

/// Calls what lies at `code`.
fn execute(code: *const u8) {
    // SAFETY: the bytes are a function that returns, if they could be executed.
    let function = unsafe { transmute::<*const u8, extern "C" fn()>(code) };
    function();
}

/// Divides by zero.
pub fn divide(_: &Arguments) -> u8 {
    // SAFETY: the instruction faults.
    unsafe { asm!("div {0:e}", in(reg) 0, inout("eax") 1 => _, inout("edx") 0 => _) };
    survived("a division by zero")
}

/// Executes the instruction that does not exist.
pub fn undefined(_: &Arguments) -> u8 {
    // SAFETY: the instruction faults.
    unsafe { asm!("ud2") };
    survived("an undefined instruction")
}

/// Executes a breakpoint that nobody has set.
pub fn breakpoint(_: &Arguments) -> u8 {
    // SAFETY: the instruction traps.
    unsafe { asm!("int3") };
    survived("a breakpoint")
}
