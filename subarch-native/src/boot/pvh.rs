//! The PVH entry: what QEMU's `-kernel`, Firecracker and Xen's HVM loader use.
//!
//! It is the shortest way into a kernel there is: a note in the ELF file names a 32-bit address, the loader jumps there, and
//! register EBX points to a structure that tells the rest. No disk, no firmware service, no video mode.
//!
//! What the structure says is read in [`pc_firmware::pvh`]; the state of the processor at the entry is in Xen's
//! `docs/misc/pvh.pandoc`.

mod stub;
mod xen;

pub use arch::layout::IMAGE_BASE;
pub use stub::start;

use super::{Entry, Handover, command_line};
use pc_firmware::physical::Shown;
use pc_firmware::pvh::Told;

/// Continues in Rust, on the boot stack, on the stub's page tables.
extern "C" fn main<E: Entry>(start_info: u64, entry_cycles: u64) -> ! {
    // SAFETY: the stub called, on the boot CPU, once.
    unsafe { super::prepare::<E>() };
    // SAFETY: the stub's page tables show the first 4 GiB, and nothing is changed before it has been read.
    let memory = unsafe { Shown::new(stub::SHOWN) };
    let mut answer: xen::Answer = [[0; _]; _];
    let told = Told::read(&memory, start_info, command_line::LONGEST, || {
        xen::memory_map(&mut answer)
    })
    .unwrap_or_else(|error| panic!("PVH: {error}"));
    let handover = Handover {
        entry: "PVH",
        entry_cycles,
        command_line: command_line::keep(told.command_line).unwrap_or_else(|error| panic!("PVH: {error}")),
        ram: told.ram,
        free: told.free,
        module: told.module,
        rsdp: told.rsdp,
        framebuffer: None,
    };
    super::run::<E>(handover, &memory)
}
