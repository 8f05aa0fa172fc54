//! User mode: what a CPU must have been told before it may go there, and how it finds its way back.
//!
//! Three things wait for the moment at which a program is interrupted or calls: page tables on which it runs and no kernel page can
//! be reached, a stack for the kernel, and the base of its thread-local storage. They belong together, change together when
//! another program's turn comes, and are told to the platform together ([`CpuOps::load_user`](crate::CpuOps::load_user)), which
//! leaves out what stays the same: under Xen, telling is a hypercall.
//!
//! A kernel thread needs none of them. So a switch to one leaves everything as it is, and the switch back costs nothing.

use crate::memory::Pfn;
use crate::trap::TrapFrame;
use x86_64::VirtAddr;

/// What belongs to one thread of user mode on the CPU that runs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserContext {
    /// The root of its page tables, made by [`MmuOps::prepare_root`](crate::MmuOps::prepare_root) and given over.
    pub root: Option<Pfn>,
    /// The end of the stack on which the kernel is entered; a multiple of 16.
    pub kernel_stack: VirtAddr,
    /// The base of FS in user mode, below [`USER_END`](crate::layout::USER_END).
    pub fs_base: u64,
}

impl UserContext {
    /// That of a CPU which has nobody to go to user mode for: no user page can be reached.
    pub const NONE: Self = Self {
        root: None,
        kernel_stack: VirtAddr::zero(),
        fs_base: 0,
    };
}

/// What [`TrapFrame::vector`] is in the frame of a system call, which has no vector.
pub const SYSTEM_CALL: u64 = 0x100;

/// The flags that a program starts with: interrupts unmasked, and the bit that is always set (Intel SDM, vol. 1, fig. 3-8).
pub const USER_FLAGS: u64 = 0x202;

/// Which code was interrupted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The kernel.
    Kernel,
    /// A program.
    User,
}

impl Mode {
    /// The mode of code that ran with `code_selector`. Asked of both bits of the privilege level, since a kernel may itself run in
    /// ring 1 or, under Xen, in ring 3 with a frame that says 0.
    #[inline(always)]
    pub const fn of(code_selector: u64) -> Self {
        if code_selector & 3 == 3 {
            Self::User
        } else {
            Self::Kernel
        }
    }
}

impl TrapFrame {
    /// Which code was interrupted.
    #[inline(always)]
    pub const fn mode(&self) -> Mode {
        Mode::of(self.cs)
    }

    /// The number of the system call (Linux's convention: RAX).
    #[inline(always)]
    pub const fn call_number(&self) -> u64 {
        self.rax
    }

    /// The arguments of the system call (Linux's convention: RDI, RSI, RDX, R10, R8, R9).
    #[inline(always)]
    pub const fn call_arguments(&self) -> [u64; 6] {
        [self.rdi, self.rsi, self.rdx, self.r10, self.r8, self.r9]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ring_3_is_user_mode() {
        assert_eq!([0xe033, 0x23, 0x33].map(Mode::of), [Mode::User; 3]);
        assert_eq!([0xe030, 0x08, 0x09].map(Mode::of), [Mode::Kernel; 3]);
    }
}
