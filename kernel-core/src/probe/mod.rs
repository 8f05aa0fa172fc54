//! Each operation of the border by itself, for whoever takes the image apart.
//!
//! The claim that an operation is one instruction is worth as much as the place where one can see it. In the core the
//! operations are inlined into whatever surrounds them. So for each there is a function here that calls it as the core would, its
//! operands in registers, and does nothing else. `cargo xtask audit` finds them by their names, `probe.GROUP.OPERATION`, and compares
//! what the compiler made of them with what it should be (`docs/operations.md`).
//!
//! Where the core often says an operand outright and the code depends on it, there is a second function for that,
//! `probe.GROUP.OPERATION.OPERAND`.
//!
//! Nobody calls them, and nothing points to them. What is left out tells of the platform and does nothing with it:
//! [`Subarch::describe`](arch::Subarch::describe) and [`TimeOps::clock_source`](arch::TimeOps::clock_source) are phrases for the boot
//! report, [`Subarch::counted_calls`](arch::Subarch::counted_calls) is there for measuring.

mod console;
mod cpu;
mod irq;
mod mmu;
mod power;
mod smp;
mod time;

/// Defines functions of these symbols' names, and has the compiler keep them though nobody calls them; the linker script does the rest.
macro_rules! probes {
    ($($symbol:literal: fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? { $operation:expr })*) => {
        $(
            #[unsafe(export_name = $symbol)]
            #[unsafe(link_section = ".text.probe")]
            fn $name($($argument: $type),*) $(-> $result)? {
                $operation
            }
            ::core::arch::global_asm!("/* {} */", sym $name);
        )*
    };
}
use probes;
