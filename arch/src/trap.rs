//! Exceptions and the state of what they interrupted.
//!
//! The platforms learn of an exception in different ways (a gate of the IDT, a bounce frame written by Xen, a ROM's stub), but
//! each stub builds the same frame, so that one handler and one register dump serve all.

mod registers;

use crate::user::Mode;
use core::fmt;

/// The registers of interrupted code, in the order the stubs push them, lowest address first.
///
/// The last five are what the processor (or Xen, or a ROM) pushed itself. Code continues with whatever a handler leaves here.
#[repr(C)]
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "registers are their own names")]
pub struct TrapFrame {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    /// The number of the exception, 0 to 31 (or of the interrupt, where the platform has vectors);
    /// [`SYSTEM_CALL`](crate::user::SYSTEM_CALL) for a system call.
    pub vector: u64,
    /// The processor's error code; 0 for exceptions that have none.
    pub error_code: u64,
    pub rip: u64,
    pub cs: u64,
    /// The interrupt flag (bit 9) is the *virtual* one: set if the platform had interrupts unmasked.
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

/// The size of the frame in bytes, a multiple of 16 so that a stub that pushed it onto an aligned stack may call at once.
pub const TRAP_FRAME_SIZE: usize = size_of::<TrapFrame>();
const _: () = assert!(TRAP_FRAME_SIZE == 176);

impl TrapFrame {
    /// Which exception this frame is of.
    pub fn exception(&self) -> Exception {
        Exception(self.vector as u8)
    }

    /// Ends the halt that an interrupt came right in front of, in the kernel.
    ///
    /// Code that unmasks and halts has found nothing to do while it was masked. No interrupt comes between `sti` and `hlt` on a
    /// processor, so whoever goes on behind `hlt` looks again. QEMU 7.2 forgets what `sti` holds back when it emulates SVM and the
    /// hypervisor is interrupted just there: the guest's handler runs, and the halt behind it may be for ever.
    ///
    /// # Safety
    /// The frame is of code that ran, whose text may be read.
    #[inline(always)]
    pub unsafe fn end_halt(&mut self) {
        /// The instruction `hlt`.
        const HALT: u8 = 0xf4;
        let instruction = self.rip as *const u8;
        // SAFETY: what ran in the kernel is mapped.
        if self.mode() == Mode::Kernel && unsafe { instruction.read() } == HALT {
            self.rip += 1;
        }
    }
}

/// An exception of the processor, by its vector (Intel SDM, vol. 3, table 6-1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Exception(pub u8);

impl Exception {
    /// #DB, a debug trap or fault.
    pub const DEBUG: Self = Self(1);
    /// #BP, the `int3` instruction.
    pub const BREAKPOINT: Self = Self(3);
    /// #UD, an instruction that does not exist.
    pub const INVALID_OPCODE: Self = Self(6);
    /// #DF, an exception while delivering another.
    pub const DOUBLE_FAULT: Self = Self(8);
    /// #GP, anything that no other exception describes.
    pub const GENERAL_PROTECTION: Self = Self(13);
    /// #PF, an access that the page tables do not allow.
    pub const PAGE_FAULT: Self = Self(14);

    /// Whether the exception is of the machine, and not of the code that it interrupted: a non-maskable interrupt, a double fault, a
    /// machine check.
    pub const fn is_of_machine(self) -> bool {
        matches!(self.0, 2 | 8 | 18)
    }

    /// The vectors for which the processor pushes an error code, as a bit mask (Intel SDM, vol. 3, table 6-1).
    pub const WITH_ERROR_CODE: u32 =
        1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30;

    /// The exception's name in words and the manuals' mnemonic.
    pub fn name(self) -> &'static str {
        NAMES.get(self.0 as usize).copied().unwrap_or("no exception")
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl fmt::Debug for Exception {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Exception({}: {})", self.0, self.name())
    }
}

const NAMES: [&str; 32] = [
    "divide error (#DE)",
    "debug (#DB)",
    "non-maskable interrupt (NMI)",
    "breakpoint (#BP)",
    "overflow (#OF)",
    "bound range exceeded (#BR)",
    "invalid opcode (#UD)",
    "device not available (#NM)",
    "double fault (#DF)",
    "coprocessor segment overrun",
    "invalid TSS (#TS)",
    "segment not present (#NP)",
    "stack-segment fault (#SS)",
    "general protection (#GP)",
    "page fault (#PF)",
    "reserved vector 15",
    "x87 floating-point error (#MF)",
    "alignment check (#AC)",
    "machine check (#MC)",
    "SIMD floating-point error (#XM)",
    "virtualisation exception (#VE)",
    "control protection (#CP)",
    "reserved vector 22",
    "reserved vector 23",
    "reserved vector 24",
    "reserved vector 25",
    "reserved vector 26",
    "reserved vector 27",
    "hypervisor injection (#HV)",
    "VMM communication (#VC)",
    "security (#SX)",
    "reserved vector 31",
];

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: u64 = 0x8;
    const USER: u64 = 0x33;

    /// Where code goes on that `selector` had and that was interrupted in front of `instruction`, in bytes from there.
    fn goes_on_behind(instruction: u8, selector: u64) -> u64 {
        let text = [instruction];
        let rip = text.as_ptr() as u64;
        let mut frame = TrapFrame {
            rip,
            cs: selector,
            ..TrapFrame::default()
        };
        // SAFETY: the byte may be read.
        unsafe { frame.end_halt() };
        frame.rip - rip
    }

    #[test]
    fn an_interrupt_ends_the_halt_that_it_came_in_front_of() {
        assert_eq!(goes_on_behind(0xf4, KERNEL), 1);
        assert_eq!(goes_on_behind(0x90, KERNEL), 0);
    }

    #[test]
    fn a_program_goes_on_where_it_was() {
        assert_eq!(goes_on_behind(0xf4, USER), 0);
    }
}
