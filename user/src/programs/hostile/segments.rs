//! Segment registers with selectors that nobody expects there.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::require_equal;
use crate::runtime::{memory, syscall};
use core::arch::asm;
use core::hint::black_box;

/// Loads the data segments with the null selectors (`null`), with the program's own stack selector (`own`), or with any (a number). If the
/// processor permits it, check 1: the program works on, through calls, other programs' turns and interrupts.
pub fn run(arguments: &Arguments) -> u8 {
    match arguments.required(1) {
        "null" => (0..4).for_each(load_and_live),
        "own" => load_and_live(own()),
        _ => load_and_live(arguments.number(1, 0) as u16),
    }
    0
}

/// The selector in SS.
fn own() -> u16 {
    let selector;
    // SAFETY: reads a register.
    unsafe { asm!("mov {:x}, ss", out(reg) selector, options(nomem, nostack, preserves_flags)) };
    selector
}

/// Loads `selector` four times and goes on for a while.
fn load_and_live(selector: u16) {
    // SAFETY: in 64-bit mode DS and ES mean nothing, and nothing in this program relies on FS and GS.
    unsafe {
        asm!(
            "mov ds, {0:x}", "mov es, {0:x}", "mov fs, {0:x}", "mov gs, {0:x}",
            in(reg) selector, options(nostack, preserves_flags)
        );
    }
    let page = memory::zeroes(memory::PAGE);
    for turn in 0..20 {
        memory::write(page, turn);
        syscall::sched_yield();
        (0..10_000).for_each(|step| {
            black_box(step);
        });
        require_equal(1, memory::read(page), turn, "memory");
    }
    memory::unmap(page, memory::PAGE).expect("what was mapped can be unmapped");
}
