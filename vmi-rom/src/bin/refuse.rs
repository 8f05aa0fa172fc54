//! A broken ROM for the tests: correct in everything, but it declines at *Init*, as one does that finds no hypervisor.
#![no_std]
#![no_main]

use vmi64::{InitRecord, Refusal};

vmi_rom::rom!(name: "refuse", init: crate::init, relocate: vmi_rom::answers::native_bytes);

fn init(_: &InitRecord) -> Result<(), Refusal> {
    Err(Refusal::NO_HYPERVISOR)
}
