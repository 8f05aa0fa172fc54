//! The leaf operations once more, as somebody would write them who has nothing but an assembler.
//!
//! That an abstraction costs nothing is a claim about two programs: the one with it and the one without. So the other one exists as well.
//! A platform may offer, for each operation here, a loop written by hand around the instructions that a careful programmer would choose
//! at such a place; the benchmarks run it beside the loop that the compiler makes of the operation, in the same image, and
//! `cargo xtask bench` fails when the two differ by a single instruction or a single byte.
//!
//! Both kinds of loop have the same rules. What an operation takes is in registers beforehand and still there afterwards, and constants
//! may be kept in registers too; what it answers is in registers afterwards, and RBX is somebody else's. An instruction for one of the
//! newer eight registers may be longer by a byte. Which are free is for what surrounds an operation to decide, so where it matters the loop
//! by hand has the registers that the compiler has given the other.

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
    /// [`TimeOps::cycles_to_duration`](crate::TimeOps::cycles_to_duration)
    CyclesToDuration,
    /// [`TimeOps::wall_clock`](crate::TimeOps::wall_clock)
    WallClock,
    /// [`TimeOps::set_alarm`](crate::TimeOps::set_alarm)
    SetAlarm,
    /// [`TimeOps::cancel_alarm`](crate::TimeOps::cancel_alarm)
    CancelAlarm,
    /// [`TimeOps::stolen`](crate::TimeOps::stolen)
    Stolen,
    /// [`SmpOps::cpu_count`](crate::SmpOps::cpu_count)
    CpuCount,
    /// [`SmpOps::spin`](crate::SmpOps::spin)
    Spin,
}

/// What a loop has shown of the operation in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Batch {
    /// How many [`cycles`](crate::TimeOps::cycles) all rounds took together, the loop's own instructions included.
    pub cycles: u64,
    /// How many bytes the operation's instructions have, those of the loop not included.
    pub bytes: u32,
}

/// The [`Batch`] of `$rounds` rounds of a loop on `$platform`. `$line`s are the operation; the registers and constants it uses are operands.
#[macro_export]
macro_rules! rounds {
    ($platform:ty, $rounds:ident, [$($line:expr),*] $(, $($operands:tt)*)?) => {{
        let before = <$platform as $crate::TimeOps>::cycles();
        ::core::arch::asm!(
            $crate::bytes_begin!(),
            $($line,)*
            $crate::bytes_end!(),
            "dec {rounds}",
            "jnz 771b",
            rounds = inout(reg) $rounds => _,
            $($($operands)*)?
        );
        let cycles = <$platform as $crate::TimeOps>::cycles() - before;
        let bytes: u32;
        ::core::arch::asm!($crate::bytes_between!(), bytes = out(reg) bytes);
        $crate::by_hand::Batch { cycles, bytes }
    }};
}

/// Assembly text that marks where the instructions begin whose bytes are counted. Itself it has none.
#[macro_export]
macro_rules! bytes_begin {
    () => {
        "771:"
    };
}

/// Assembly text that marks where they end, and notes both places.
#[macro_export]
macro_rules! bytes_end {
    () => {
        ".pushsection .rodata.bytes, \"a\"
        772: .quad 771b, 773f
        .popsection
        773:"
    };
}

/// Assembly text that loads how many bytes there are between the last two marks above it into `{bytes}`.
#[macro_export]
macro_rules! bytes_between {
    () => {
        "mov {bytes:e}, [rip + 772b + 8]
        sub {bytes:e}, [rip + 772b]"
    };
}
