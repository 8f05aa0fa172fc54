//! Reading the date from the battery-backed clock of the PC AT (Motorola MC146818).
//!
//! It is read once. The chip updates itself every second while it may be read; what its numbers mean is in
//! [`pc_firmware::date`].
//!
//! It is taken to keep universal time, as QEMU and most machines without a desktop set it, and it is exact to the second that
//! it shows.

use crate::port;
use pc_firmware::date::Registers;

/// Reads the date; seconds since 1970, or `None` if there is no chip or no date in it. `century` is the index of the century in
/// the chip's memory, or 0.
///
/// # Safety
/// Nobody else uses the chip.
pub unsafe fn read(century: u8) -> Option<u64> {
    /// How often it is read until two readings agree; more than two are needed only if the second just changes.
    const TRIES: usize = 5;
    /// The register that says whether the battery is flat, in its top bit. All others are 0, so this is what no chip at all says.
    const BATTERY: u8 = 0x0d;
    const NOBODY: u8 = 0xff;
    // SAFETY: the caller vouches for the chip.
    if unsafe { register(BATTERY) } == NOBODY {
        return None;
    }
    // SAFETY: the caller vouches for the chip.
    let mut last = unsafe { registers(century) };
    for _ in 0..TRIES {
        // SAFETY: as above.
        let again = unsafe { registers(century) };
        if again == last {
            return last.seconds_since_1970();
        }
        last = again;
    }
    None
}

/// Reads all registers, not while the chip says that it is updating them.
///
/// # Safety
/// Nobody else uses the chip.
unsafe fn registers(century: u8) -> Registers {
    /// The register whose top bit says that an update is in progress, which takes 2 ms.
    const UPDATE: u8 = 0x0a;
    const IN_PROGRESS: u8 = 0x80;
    /// How often that is asked: tens of milliseconds on real hardware, where each access takes about a microsecond.
    const PATIENCE: usize = 20_000;
    // SAFETY: the chip is the caller's.
    let register = |index| unsafe { register(index) };
    let _ready = (0..PATIENCE).any(|_| register(UPDATE) & IN_PROGRESS == 0);
    Registers {
        seconds: register(0x00),
        minutes: register(0x02),
        hours: register(0x04),
        day: register(0x07),
        month: register(0x08),
        year: register(0x09),
        century: (century != 0).then(|| register(century & 0x7f)),
        format: register(0x0b),
    }
}

/// Reads a register of the chip.
///
/// # Safety
/// Nobody else uses the chip.
unsafe fn register(index: u8) -> u8 {
    // SAFETY: the caller vouches for the chip. The top bit of the index port, which would mask non-maskable interrupts, is clear.
    unsafe {
        port::write(0x70, index);
        port::read(0x71)
    }
}
