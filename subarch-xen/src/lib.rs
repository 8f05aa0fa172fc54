//! The kernel as a guest of Xen that knows it is one.
//!
//! PV is the oldest way to run a kernel on a hypervisor, and still the one that needs nothing from the processor: the
//! kernel runs in ring 3 like a program and asks Xen for whatever ring 0 would do. That makes it the hardest of the three
//! houses. Page tables hold the machine's frame numbers and are read-only, the interrupt flag is a byte in memory, interrupts
//! are bits in a shared page, and time comes from the hypervisor. Each of these is told in the file that deals with it;
//! start with `irq.rs`, which is the shortest and the point of it all, then `mmu.rs`, which is the longest.
//!
//! The files common to all platforms have the same names as theirs. Xen's own stand beside them: `hypercall.rs` (asking),
//! `event.rs` (being told), `abi/` (what is shared), `p2m.rs` (two numberings of memory), `notes.rs` (being accepted).
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

mod acpi;
pub mod assembly;
pub mod boot;
mod by_hand;
mod console;
mod cpu;
mod event;
mod hypercall;
mod irq;
mod mmu;
pub mod notes;
mod p2m;
mod port;
mod power;
mod smp;
mod start_info;
mod time;
mod trap;
mod view;

pub use cpu::FAULT_ADDRESS;
pub use hypercall::Refused;
pub use irq::{UPCALL_MASK, UPCALL_PENDING, deliver};
pub use mmu::first::{learn_frames, show};
pub use start_info::{Malformed, StartInfo};

use arch::by_hand::Batch;
use arch::{ByHand, Slot, Subarch};
use core::fmt;
use hypercall::{Granted, version};

/// The platform: a Xen PV guest, dom0 or domU.
#[derive(Debug)]
pub enum Xen {}

impl Subarch for Xen {
    const NAME: &'static str = "xen";

    fn describe() -> impl fmt::Display {
        Description {
            version: version::version().granted(),
            initial: boot::is_initial_domain(),
        }
    }

    #[inline(always)]
    fn counted_calls() -> impl Iterator<Item = (&'static str, u32)> {
        hypercall::count::all()
    }

    /// # Safety
    /// As [`Subarch::by_hand`] asks.
    unsafe fn by_hand(operation: ByHand, _slot: Slot, rounds: u64) -> Option<Batch> {
        // SAFETY: the caller has masked events.
        unsafe { by_hand::run(operation, rounds) }
    }
}

/// The Xen beneath us and our place on it, for the boot report: `Xen 4.17 PV dom0`.
struct Description {
    version: (u16, u16),
    initial: bool,
}

impl fmt::Display for Description {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.version;
        let domain = if self.initial { "dom0" } else { "domU" };
        write!(out, "Xen {major}.{minor} PV {domain}")
    }
}

/// Makes the image's entry point and ELF notes, for a kernel of type `$kernel`.
///
/// Xen enters with the address of `start_info` in RSI, on a stack of one page somewhere in its first mapping. The cycle
/// counter is read before anything else, then the kernel moves to its own stack and never comes back.
#[macro_export]
macro_rules! entry {
    ($kernel:ty) => {
        $crate::entry_named!("_start", $kernel);
    };
}

/// The same for an image that other loaders enter as well: with a symbol of its own for the entry point, as `_start` is theirs, and perhaps
/// an `unsafe extern "C" fn(*const StartInfo)` that is called before anything else is done.
#[macro_export]
macro_rules! entry_named {
    ($symbol:literal, $kernel:ty $(, $first:path)?) => {
        #[used]
        #[unsafe(link_section = ".note.Xen")]
        static XEN_NOTES: $crate::notes::Notes = $crate::notes::Notes::new(xen_start);

        /// # Safety
        /// Entered by Xen, once.
        #[unsafe(naked)]
        #[unsafe(export_name = $symbol)]
        #[unsafe(link_section = ".text.entry")]
        unsafe extern "C" fn xen_start() -> ! {
            ::core::arch::naked_asm!(
                "rdtsc",
                "shl rdx, 32",
                "or rax, rdx",
                "lea rsp, [rip + {stack} + 4096 + {size}]",
                "xor ebp, ebp",
                "cld",
                "mov rbx, rsi",
                "mov r12, rax",
                "mov rdi, rbx",
                $(concat!("call {first} /* ", stringify!($first), " */", "\nmov rdi, rbx"),)?
                "mov rsi, r12",
                "call {start}",
                "ud2",
                stack = sym $crate::boot::STACK,
                size = const $crate::boot::STACK_SIZE,
                start = sym $crate::boot::start::<$kernel>,
                $(first = sym $first,)?
            )
        }
    };
}
