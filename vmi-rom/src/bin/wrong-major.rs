//! A broken ROM for the tests: it was written for VMI 3, the 32-bit ancestor.
#![no_std]
#![no_main]

use vmi64::{InitRecord, Refusal};

vmi_rom::rom!(name: "wrong-major", init: crate::init, relocate: vmi_rom::answers::native_bytes, major: 3);

fn init(_: &InitRecord) -> Result<(), Refusal> {
    Ok(())
}
