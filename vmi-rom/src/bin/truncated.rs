//! A broken ROM for the tests: its header tells of 64 KiB more than firmware was given.
#![no_std]
#![no_main]

use vmi64::{InitRecord, Refusal};

vmi_rom::rom!(name: "truncated", init: crate::init, relocate: vmi_rom::answers::native_bytes, surplus: 65536);

fn init(_: &InitRecord) -> Result<(), Refusal> {
    Ok(())
}
