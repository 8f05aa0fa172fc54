//! Marks of a measurement, in an image that counts.
//!
//! Beneath a hypervisor that is not asked, a guest with hardware assistance leaves whenever the processor says so, and cannot count
//! that. The emulator can: it tells of each exit why it was, and at which instruction. CPUID is always such an exit, and does
//! nothing. So each mark is a CPUID at an address of its own, by which `cargo xtask bench` knows it among the others.

use arch::Mark;
use core::arch::naked_asm;

/// Executes the CPUID of this mark.
pub fn show(mark: Mark) {
    match mark {
        Mark::Begin => begin(),
        Mark::End => end(),
        Mark::Batch => batch(),
        Mark::Operation => operation(),
    }
}

/// A function whose CPUID has the address that the symbol names.
macro_rules! mark {
    ($name:ident, $symbol:literal) => {
        #[unsafe(naked)]
        extern "sysv64" fn $name() {
            naked_asm!(
                "push rbx",
                "xor eax, eax",
                concat!(".globl ", $symbol),
                concat!($symbol, ":"),
                "cpuid",
                "pop rbx",
                "ret",
            )
        }
    };
}

mark!(begin, "anyring_mark_begin");
mark!(end, "anyring_mark_end");
mark!(batch, "anyring_mark_batch");
mark!(operation, "anyring_mark_operation");
