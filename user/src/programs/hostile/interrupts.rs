//! Software interrupts: 256 numbers, of which a program may use two.

use super::survived;
use crate::runtime::arguments::Arguments;
use crate::runtime::child;
use crate::runtime::print::println;
use core::mem::transmute;
use user_programs::{End, Signal};

/// One function for each number: `int NUMBER`, `ret`, in as many bytes as make the address easy.
#[unsafe(naked)]
extern "C" fn functions() {
    core::arch::naked_asm!(
        ".set vector, 0",
        ".rept 256",
        ".byte 0xcd, vector",
        "ret",
        "nop",
        ".set vector, vector + 1",
        ".endr",
    )
}

/// Executes one of them.
pub fn one(arguments: &Arguments) -> u8 {
    let vector = arguments.number(1, 0) & 0xff;
    execute(vector);
    survived("a software interrupt")
}

/// Lets a child each execute one of them, and checks:
///
/// 1. a breakpoint (3) ends as such;
/// 2. every other one as a use of what is not the program's.
///
/// 128, which is a system call of another architecture on Linux, must only end.
pub fn all(_: &Arguments) -> u8 {
    for vector in 0..256 {
        let child = child::start(|| {
            execute(vector);
            crate::status::SURVIVED
        });
        let (_, end) = child::wait(child, 0).expect("there is a child");
        let good = match vector {
            3 => end == End::Killed(Signal::Trap),
            128 => true,
            _ => end == End::Killed(Signal::Segmentation),
        };
        if !good {
            println!("int {vector}: {end}");
            return if vector == 3 { 1 } else { 2 };
        }
    }
    0
}

/// Executes `int vector`.
fn execute(vector: usize) {
    let address = functions as *const () as usize + 4 * vector;
    // SAFETY: there is a function every four bytes.
    let function = unsafe { transmute::<usize, extern "C" fn()>(address) };
    function();
}
