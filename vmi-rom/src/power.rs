//! The end of the machine, or a new beginning.

use crate::facts;
use x86_64::instructions::port::Port;
use x86_64::instructions::{hlt, interrupts};

/// Port of the chipset's reset register, and its value for a full reset.
const RESET: (u16, u8) = (0xcf9, 0x06);
/// Port of the keyboard controller, and its command to pulse the reset line.
const KEYBOARD: (u16, u8) = (0x64, 0xfe);

/// Call 36. Soft and hard are the same on bare metal.
pub extern "sysv64" fn reboot(_: u64) {
    for (port, value) in [RESET, KEYBOARD] {
        // SAFETY: the caller asked for the end of everything that these ports could disturb.
        unsafe { Port::new(port).write(value) }
    }
    stop()
}

/// Call 37: switches the machine off where the kernel told how, and stops this CPU in any case.
pub extern "sysv64" fn shut_down() {
    let (port, value) = facts::POWER_OFF.get();
    if port != 0 {
        // SAFETY: the kernel told that this port ends the machine, and asks for it.
        unsafe { Port::new(port).write(value) }
    }
    stop()
}

fn stop() -> ! {
    interrupts::disable();
    loop {
        hlt();
    }
}
