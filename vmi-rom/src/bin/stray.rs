//! A broken ROM for the tests: it sends the kernel's most frequent operation to an address below itself.
//!
//! All its other answers are good ones, so that a kernel which patches as it asks would be caught half patched.
#![no_std]
#![no_main]

use vmi_rom::address;
use vmi_rom::answers::native_bytes;
use vmi64::{Answer, Call, InitRecord, Refusal};

vmi_rom::rom!(name: "stray", init: crate::init, relocate: crate::relocate);

fn init(_: &InitRecord) -> Result<(), Refusal> {
    Ok(())
}

fn relocate(call: Call, room: usize) -> Answer {
    match call {
        Call::DisableInterrupts => Answer::CallRel(address!(relocate) - 0x10_0000),
        other => native_bytes(other, room),
    }
}
