//! The program break: the oldest way to get memory.

use crate::runtime::arguments::Arguments;
use crate::runtime::check::{require, require_equal};
use crate::runtime::child::must_end;
use crate::runtime::memory::{self, PAGE};
use crate::runtime::syscall::{harmless, number};
use user_programs::{End, Signal};

/// Moves the break and checks:
///
/// 1. it starts above the program;
/// 2. it goes up as asked;
/// 3. what is below it is zero, and keeps what is written;
/// 4. it goes down again;
/// 5. what is above it is gone;
/// 6. what comes back is zero again;
/// 7. absurd wishes leave it where it is.
pub fn run(arguments: &Arguments) -> u8 {
    let length = arguments.number(1, 256 << 10).next_multiple_of(PAGE).max(2 * PAGE);
    let start = set(0).next_multiple_of(PAGE);
    require(1, start > 0x40_0000, "the break is below the program");
    require_equal(2, set(start + length), start + length, "the break after going up");
    for address in (start..start + length).step_by(PAGE) {
        require_equal(3, memory::read(address), 0, "what is below a new break");
        memory::write(address, address as u64);
        require_equal(
            3,
            memory::read(address),
            address as u64,
            "what was written below the break",
        );
    }
    require_equal(4, set(start + PAGE), start + PAGE, "the break after going down");
    must_end(5, End::Killed(Signal::Segmentation), || {
        memory::read(start + PAGE) as u8
    });
    require_equal(4, memory::read(start), start as u64, "what is still below the break");
    set(start + length);
    require_equal(6, memory::read(start + PAGE), 0, "what is below the break again");
    for absurd in [1, usize::MAX, 1 << 47, 0xffff_8000_0000_0000] {
        require_equal(7, set(absurd), start + length, "the break after an absurd wish");
    }
    0
}

/// Asks for the break at `address`; returns where it is.
fn set(address: usize) -> usize {
    harmless(number::BRK, &[address]).expect("brk always tells where the break is")
}
