//! The I/O APIC: where a device's wire becomes an interrupt of a CPU.
//!
//! The kernel wants one wire so far, the console's. Which input of which I/O APIC that is, and how its level is to be read,
//! is in the firmware's tables, with the wiring of the PC AT as what holds where they are silent (Intel 82093AA, 1996).

use arch::VirtAddr;

pub use pc_firmware::Input;

/// The registers of an I/O APIC.
#[derive(Debug)]
pub struct IoApic {
    registers: VirtAddr,
}

impl IoApic {
    /// The I/O APIC whose registers are mapped at `registers`.
    ///
    /// # Safety
    /// They are, uncached, as long as the value lives, and nobody else uses them.
    pub unsafe fn new(registers: VirtAddr) -> Self {
        Self { registers }
    }

    /// Masks all inputs, and sends `input` to the CPU of local APIC `to` as `vector`.
    ///
    /// # Safety
    /// `vector` has a gate.
    pub unsafe fn connect(&mut self, input: Input, vector: u8, to: u8) {
        /// The register whose bits 16 to 23 are the number of the last input.
        const VERSION: u32 = 1;
        /// The bit of an entry that holds its interrupts back.
        const MASKED: u32 = 1 << 16;
        let last = self.read(VERSION) >> 16 & 0xff;
        for number in 0..=last {
            self.write(redirection(number), MASKED);
        }
        let entry = redirection(input.number.into());
        self.write(entry + 1, u32::from(to) << 24);
        self.write(entry, route(input, vector));
    }

    /// Reads a register.
    fn read(&mut self, register: u32) -> u32 {
        let window = self.select(register);
        // SAFETY: mapped and ours, says whoever made `self`.
        unsafe { window.read_volatile() }
    }

    /// Writes a register.
    fn write(&mut self, register: u32, value: u32) {
        let window = self.select(register);
        // SAFETY: as above; what is written raises interrupts only where `connect`'s caller allowed it.
        unsafe { window.write_volatile(value) }
    }

    /// Selects a register; returns the window to it, 16 bytes behind the selector.
    fn select(&mut self, register: u32) -> *mut u32 {
        let selector: *mut u32 = self.registers.as_mut_ptr();
        // SAFETY: mapped and ours, says whoever made `self`; both lie in the same page.
        unsafe {
            selector.write_volatile(register);
            selector.add(4)
        }
    }
}

/// The lower half of the redirection entry that sends `input` to a CPU by its number.
fn route(input: Input, vector: u8) -> u32 {
    u32::from(vector) | u32::from(input.active_low) << 13 | u32::from(input.level_triggered) << 15
}

/// The register with the lower half of the redirection entry of input `number`; the upper half is in the next.
fn redirection(number: u32) -> u32 {
    0x10 + 2 * number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_laid_out_as_the_chip_reads_it() {
        let mut input = Input::of_pc_at(4);
        assert_eq!(route(input, 0x41), 0x0041);
        input.active_low = true;
        input.level_triggered = true;
        assert_eq!(route(input, 0x41), 0xa041);
        assert_eq!(redirection(4), 0x18);
    }
}
