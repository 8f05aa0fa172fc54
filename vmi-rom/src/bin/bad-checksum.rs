//! A broken ROM for the tests: its checksum is right when firmware looks, and wrong when the kernel does.
//!
//! Firmware drops an option ROM whose bytes do not add up to zero, so this one spoils itself in its 16-bit entry, which firmware
//! calls while the area is still writable: it increments the padding byte at offset 1Ch.
#![no_std]
#![no_main]

use vmi64::{InitRecord, Refusal};

vmi_rom::rom!(
    name: "bad-checksum", init: crate::init, relocate: vmi_rom::answers::native_bytes,
    firmware_entry: ".byte 0x2e, 0xfe, 0x06, 0x1c, 0x00, 0xcb" // inc byte ptr cs:[1Ch]; retf
);

fn init(_: &InitRecord) -> Result<(), Refusal> {
    Ok(())
}
