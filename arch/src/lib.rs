//! The border between one kernel and its platforms.
//!
//! In 2006 three interfaces competed to let Linux run on a hypervisor, and each paid for its portability somewhere: in a
//! function pointer, in a binary interface, or in a fork of half an architecture. This crate is the fourth answer, and
//! it is only a vocabulary: two traits, and the x86-64 words that both of their sides speak. [`Subarch`] is what the
//! kernel's core asks of the platform below it, [`Kernel`] is what the platform calls in the core above it. Both are
//! bound to concrete types at compile time, in either direction, so that the border leaves no trace in the image: where
//! the source says `P::disable()`, the image says `cli`.
//!
//! Read one group of operations ([`IrqOps`] is the shortest), then open the file of the same name in `subarch-native`,
//! `subarch-xen` and `subarch-vmi`: the three houses have the same rooms.
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

pub mod boot;
pub mod by_hand;
pub mod calls;
pub mod console;
pub mod cpu;
pub mod image;
pub mod irq;
pub mod kernel;
pub mod layout;
pub mod memory;
pub mod mmu;
pub mod percpu;
pub mod power;
pub mod site;
pub mod smp;
pub mod stack;
pub mod time;
pub mod trap;
pub mod user;

pub use boot::Boot;
pub use by_hand::ByHand;
pub use calls::Mark;
pub use console::ConsoleOps;
pub use cpu::CpuOps;
pub use irq::IrqOps;
pub use kernel::{Behind, Interrupt, Kernel, Stops};
pub use memory::{FrameRange, MemoryMap, Pfn};
pub use mmu::{LazyMmu, MmuOps, Pte, Slot};
pub use power::PowerOps;
pub use smp::SmpOps;
pub use time::{Instant, TimeOps};
pub use trap::{Exception, TrapFrame};
pub use user::{Mode, UserContext};
pub use x86_64::VirtAddr;
pub use x86_64::structures::paging::{PageTableFlags, page_table::PageTableLevel};

use core::fmt;

/// A platform: everything the core may ask of what lies beneath it.
///
/// The groups are those of `paravirt_ops` as Linux grouped them in 2006, so that a reader of that debate knows the
/// rooms. All operations are associated functions without `self`: a platform is a type, never a value, hence there is
/// nothing to point at and nothing to call through.
pub trait Subarch: IrqOps + CpuOps + MmuOps + TimeOps + SmpOps + ConsoleOps + PowerOps + Sized + 'static {
    /// The platform's name, as the Cargo feature that selects it spells it.
    const NAME: &'static str;

    /// One phrase for the boot report on what the kernel found beneath itself, such as `Xen 4.17 PV dom0`.
    fn describe() -> impl fmt::Display;

    /// Whether this is the platform called `name`, for whoever insists on it (`platform=` on the command line).
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | `native` | `xen` | `vmi` under a ROM, `native` without |
    ///
    /// It is settled by the time the core is [started](Kernel::start).
    fn is(name: &str) -> bool {
        name == Self::NAME
    }

    /// How often this CPU has gone below the kernel since boot, by kind: a name without spaces, and a count that wraps at 32 bits.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | there is nothing below | hypercalls, by their names in Xen's headers | calls of the ROM, by their names in the ABI |
    ///
    /// Always the same kinds in the same order; none at all unless the image was built to count ([`calls::COUNTED`]).
    #[inline(always)]
    fn counted_calls() -> impl Iterator<Item = (&'static str, u32)> {
        core::iter::empty()
    }

    /// Lets whoever watches the machine from outside see how far a measurement is.
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | nobody watches | nobody watches | a CPUID of its own for each mark, for which a guest with hardware assistance leaves |
    ///
    /// Nothing at all unless the image was built to count ([`calls::COUNTED`]).
    #[inline(always)]
    fn mark(mark: Mark) {
        let _ = mark;
    }

    /// Runs `rounds` of a loop that was written by hand around `operation`; `None` if the platform has none. See [`by_hand`].
    ///
    /// | native | xen | vmi |
    /// |---|---|---|
    /// | all of them | the interrupt flag and whatever else is in line | none: what it compiles in are native's |
    ///
    /// Called with interrupts masked. Afterwards they are masked or not, as the operation leaves them.
    ///
    /// # Safety
    /// `slot` is the entry of a page that nobody refers to: [`ByHand::SetEntry`] empties it.
    unsafe fn by_hand(operation: ByHand, slot: Slot, rounds: u64) -> Option<by_hand::Batch> {
        let _ = (operation, slot, rounds);
        None
    }
}
