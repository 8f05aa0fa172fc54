//! A new beginning of the machine.

use x86_64::instructions::port::Port;

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
}
