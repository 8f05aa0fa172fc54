//! The leaf operations once more, as somebody would write them who has nothing but an assembler.
//!
//! That an abstraction costs nothing is a claim about two programs: the one with it and the one without. So the other one exists as well.
//! A platform may offer, for each operation here, a loop written by hand around the instructions that a careful programmer would choose
//! at such a place; the benchmarks run it beside the loop that the compiler makes of the operation, in the same image, and
//! `cargo xtask bench` fails when the two differ by a single instruction.
//!
//! Both kinds of loop have the same rules. What an operation takes is in registers beforehand and still there afterwards, and addresses
//! and masks of 64 bits may be kept in registers too; what it answers is in registers afterwards, and RBX is somebody else's.

/// An operation that is worth a comparison: one that is compiled in line wherever it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByHand {
    /// No operation: what the loop itself takes.
    Nothing,
    /// [`IrqOps::disable`](crate::IrqOps::disable)
    Disable,
    /// [`IrqOps::enable`](crate::IrqOps::enable), with nothing pending.
    Enable,
    /// [`IrqOps::flags`](crate::IrqOps::flags)
    Flags,
    /// [`IrqOps::masked`](crate::IrqOps::masked), with the answer in a register.
    Masked,
    /// [`IrqOps::save`](crate::IrqOps::save)
    Save,
    /// [`IrqOps::restore`](crate::IrqOps::restore) of a state that was masked.
    RestoreMasked,
    /// [`IrqOps::restore`](crate::IrqOps::restore) of a state that was unmasked.
    RestoreUnmasked,
    /// [`CpuOps::page_fault_address`](crate::CpuOps::page_fault_address)
    PageFaultAddress,
    /// [`CpuOps::cpuid`](crate::CpuOps::cpuid)
    Cpuid,
    /// [`MmuOps::pte`](crate::MmuOps::pte)
    Pte,
    /// [`MmuOps::frame`](crate::MmuOps::frame) of an entry that maps one.
    Frame,
    /// [`MmuOps::root`](crate::MmuOps::root)
    Root,
    /// [`MmuOps::set_entry`](crate::MmuOps::set_entry) in a table of level 1.
    SetEntry,
    /// [`MmuOps::table_give`](crate::MmuOps::table_give)
    TableGive,
    /// [`MmuOps::table_take`](crate::MmuOps::table_take)
    TableTake,
    /// [`MmuOps::flush_page`](crate::MmuOps::flush_page)
    FlushPage,
    /// [`MmuOps::lazy_begin`](crate::MmuOps::lazy_begin) and [`lazy_end`](crate::MmuOps::lazy_end)
    Lazy,
    /// [`MmuOps::map_direct`](crate::MmuOps::map_direct)
    MapDirect,
    /// [`TimeOps::now`](crate::TimeOps::now)
    Now,
    /// [`TimeOps::cycles`](crate::TimeOps::cycles)
    Cycles,
    /// [`TimeOps::cancel_alarm`](crate::TimeOps::cancel_alarm): a store of which [`set_alarm`](crate::TimeOps::set_alarm) is another, behind
    /// arithmetic that is no leaf's.
    CancelAlarm,
    /// [`TimeOps::stolen`](crate::TimeOps::stolen)
    Stolen,
    /// [`SmpOps::spin`](crate::SmpOps::spin)
    Spin,
}

/// The cycles that `$rounds` rounds of a loop take on `$platform`. `$line`s are the operation; the registers and constants it uses are operands.
#[macro_export]
macro_rules! rounds {
    ($platform:ty, $rounds:ident, [$($line:literal),*] $(, $($operands:tt)*)?) => {{
        let before = <$platform as $crate::TimeOps>::cycles();
        ::core::arch::asm!(
            "2:",
            $($line,)*
            "dec {rounds}",
            "jnz 2b",
            rounds = inout(reg) $rounds => _,
            $($($operands)*)?
        );
        <$platform as $crate::TimeOps>::cycles() - before
    }};
}
