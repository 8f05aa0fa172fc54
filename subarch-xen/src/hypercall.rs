//! Asking the hypervisor.
//!
//! What a system call is to a program, a hypercall is to a paravirtualised kernel, and it is even the same instruction:
//! `syscall` enters Xen whenever the guest's kernel executes it. The usual way is a page of stubs that Xen fills in; here
//! the instruction stands in line instead, so that a hypercall costs no call, needs no page, and shows up in a disassembly
//! as what it is. An answer below zero is an error number. Nothing in this kernel guesses on from a refusal that it did
//! not foresee: [`Granted::granted`] turns it into a panic that names the hypercall, its arguments and the error.
//!
//! Source: Xen's public headers, `xen.h` (numbers) and `arch-x86/xen-x86_64.h` (registers).

pub mod callback;
pub mod count;
pub mod errno;
pub mod event;
pub mod memory;
pub mod mmu;
pub mod platform;
pub mod sched;
pub mod user;
pub mod vcpu;
pub mod version;

pub use errno::Errno;

use core::arch::asm;
use core::fmt;

/// The hypercalls in use here, by their numbers. Each is explained where it is wrapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    SetTrapTable = 0,
    MmuUpdate = 1,
    StackSwitch = 3,
    PlatformOp = 7,
    MemoryOp = 12,
    UpdateVaMapping = 14,
    XenVersion = 17,
    ConsoleIo = 18,
    VmAssist = 21,
    VcpuOp = 24,
    SetSegmentBase = 25,
    MmuextOp = 26,
    SchedOp = 29,
    CallbackOp = 30,
    EventChannelOp = 32,
    PhysdevOp = 33,
}

/// Number of the hypercall `iret`, which only the stubs in `trap.rs` make: it does not return.
pub const IRET: u64 = 23;

impl Call {
    /// The name as Xen's headers spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SetTrapTable => "set_trap_table",
            Self::MmuUpdate => "mmu_update",
            Self::StackSwitch => "stack_switch",
            Self::PlatformOp => "platform_op",
            Self::MemoryOp => "memory_op",
            Self::UpdateVaMapping => "update_va_mapping",
            Self::XenVersion => "xen_version",
            Self::ConsoleIo => "console_io",
            Self::VmAssist => "vm_assist",
            Self::VcpuOp => "vcpu_op",
            Self::SetSegmentBase => "set_segment_base",
            Self::MmuextOp => "mmuext_op",
            Self::SchedOp => "sched_op",
            Self::CallbackOp => "callback_op",
            Self::EventChannelOp => "event_channel_op",
            Self::PhysdevOp => "physdev_op",
        }
    }
}

/// A hypercall that Xen did not carry out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Which one.
    pub call: Call,
    /// Its arguments; those it has not got are zero.
    pub arguments: [u64; 4],
    /// Why.
    pub errno: Errno,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.arguments;
        let name = self.call.name();
        write!(
            out,
            "hypercall {name}({a:#x}, {b:#x}, {c:#x}, {d:#x}) was refused: {}",
            self.errno
        )
    }
}

/// Insisting on an answer.
pub trait Granted<T> {
    /// The answer; a refusal is a bug of this kernel, or a Xen it was not made for.
    ///
    /// # Panics
    /// On a refusal, naming hypercall, arguments and error, at the place that asked.
    #[track_caller]
    fn granted(self) -> T;
}

impl<T> Granted<T> for Result<T, Refused> {
    #[inline(always)]
    #[track_caller]
    fn granted(self) -> T {
        match self {
            Ok(answer) => answer,
            Err(refused) => refuse(&refused),
        }
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(refused: &Refused) -> ! {
    panic!("{refused}")
}

/// The instruction. Xen may also destroy the registers of the arguments (a debugging Xen does so on purpose).
macro_rules! syscall {
    ($call:expr $(, $register:tt $argument:expr)*) => {{
        let answer: i64;
        asm!(
            "syscall",
            inlateout("rax") $call as u64 => answer,
            $(inlateout($register) $argument => _,)*
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
        answer
    }};
}

/// Makes a hypercall with up to four arguments.
///
/// # Errors
/// [`Refused`], with the number Xen answered.
///
/// # Safety
/// The arguments are right for the hypercall: pointers among them point to what its wrapper says for as long as Xen uses
/// them, and what it changes in this domain breaks nothing that Rust relies on.
#[inline(always)]
pub unsafe fn call<const N: usize>(call: Call, arguments: [u64; N]) -> Result<u64, Refused> {
    const { assert!(N >= 1 && N <= 4, "a hypercall in use here has one to four arguments") };
    let mut all = [0; 4];
    all[..N].copy_from_slice(&arguments);
    let [a, b, c, d] = all;
    // SAFETY: the caller vouches for the hypercall; the registers are those of its binary interface.
    let answer = unsafe {
        match N {
            1 => syscall!(call, "rdi" a),
            2 => syscall!(call, "rdi" a, "rsi" b),
            3 => syscall!(call, "rdi" a, "rsi" b, "rdx" c),
            _ => syscall!(call, "rdi" a, "rsi" b, "rdx" c, "r10" d),
        }
    };
    // SAFETY: as above. Behind the hypercall, since the very first one gives this CPU its area.
    unsafe { count::count(call, &all) };
    match Errno::of(answer) {
        None => Ok(answer as u64),
        Some(errno) => Err(Refused {
            call,
            arguments: all,
            errno,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_hypercall_arguments_and_error() {
        let refused = Refused {
            call: Call::MmuUpdate,
            arguments: [0x1000, 1, 0, 0x7ff0],
            errno: Errno(22),
        };
        assert_eq!(
            refused.to_string(),
            "hypercall mmu_update(0x1000, 0x1, 0x0, 0x7ff0) was refused: EINVAL (22)"
        );
        assert!(std::panic::catch_unwind(|| Err::<(), _>(refused).granted()).is_err());
    }
}
