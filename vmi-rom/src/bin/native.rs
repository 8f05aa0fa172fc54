//! The ROM of bare metal: a kernel under it does what it would have done without.
//!
//! It exists to show what VMI costs when there is nothing to virtualise, which is nothing: every answer is either *NONE* or the
//! very bytes that stand at the site already.
#![no_std]
#![no_main]

use vmi64::{InitRecord, Refusal};

vmi_rom::rom!(name: "native", init: crate::init, relocate: vmi_rom::answers::native_bytes);

fn init(_: &InitRecord) -> Result<(), Refusal> {
    Ok(())
}
