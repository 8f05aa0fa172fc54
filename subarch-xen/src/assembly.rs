//! Some operations once more, as instructions for a place in somebody else's code.
//!
//! Where several platforms share an image, an operation in line can be Xen's only if it stands in the registers that the compiler has chosen
//! for another platform's instruction, and changes no others. No compiler writes such code. So what is on the way of every page-table
//! entry, every look at the clock and every alarm is written here by hand, as text with named operands; whoever uses it says which register is
//! which. Each begins where the other platform's instruction would be, and leads to label 779 behind it.
//!
//! What they do is what the operations of the same name do (those of [`Xen`](crate::Xen)), and whatever is not as usual is left to these:
//! here as functions of words, for whoever saves the registers.

mod mmu;
mod smp;
mod time;

#[doc(hidden)]
pub use {mmu::*, smp::*, time::*};

/// Enters Xen, which delivers what is pending.
pub extern "sysv64" fn deliver() {
    crate::deliver();
}
