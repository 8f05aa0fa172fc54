//! The start of another CPU, without the beginnings of 1978.
//!
//! The kernel has the CPU come out of 16-bit code in a state that it tells beforehand. Xen can have a virtual CPU begin in any state, that one
//! too. So it is told to Xen, and when the kernel sends its messages, the first that says "start" is the hypercall, and the others are nothing.
//! If Xen does not want to, the messages are what they are on bare metal. A CPU that events cannot reach is not started at all: the kernel
//! waits in vain for it, and says so.

use crate::facts::PER_CPU_OFFSET;
use crate::xen::cpu::{self, BY_MESSAGES, Cpu, OUT_OF_REACH, PREPARED, STARTED};
use crate::xen::hypercall;
use core::arch::naked_asm;
use core::sync::atomic::Ordering::Relaxed;
use vmi64::ApState;
use vmi64::ap_state::{AP_STATE_SIZE, HAS_COME};

/// Call 62.
///
/// # Safety
/// `state` is of a CPU that has not been started, and true.
pub unsafe extern "sysv64" fn prepare(state: &ApState) {
    let Some(cpu) = cpu::of(state.apic) else {
        return;
    };
    // SAFETY: the bytes of each CPU are a ROM's, and the CPU does not use them yet.
    unsafe { ((state.gs_base + PER_CPU_OFFSET.get()) as *mut u64).write_volatile(&raw const *cpu as u64) };
    if cpu.start.load(Relaxed) != OUT_OF_REACH {
        return;
    }
    // SAFETY: it has not been started, says the caller.
    if unsafe { cpu.set_up(state.apic / 2) }.is_err() {
        return;
    }
    // SAFETY: the state is the kernel's own.
    let is_accepted = state.size as usize >= AP_STATE_SIZE
        && unsafe { hypercall::initialise(state.apic / 2, &mut Context::beginning(state)) };
    cpu.start
        .store(if is_accepted { PREPARED } else { BY_MESSAGES }, Relaxed);
}

/// Starts a CPU that was prepared, once.
pub fn bring_up(cpu: &Cpu) {
    if cpu.start.swap(STARTED, Relaxed) == PREPARED {
        // SAFETY: the kernel, which sends the message, has everything ready.
        unsafe { hypercall::bring_up(cpu.number.load(Relaxed)) };
    }
}

/// `vcpu_hvm_context` for a CPU that begins in 64-bit mode (`hvm/hvm_vcpu.h`). Segments are flat, interrupts masked.
#[repr(C)]
struct Context {
    mode: u32,
    padding: u32,
    /// RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, RIP, RFLAGS.
    registers: [u64; 10],
    cr0: u64,
    cr3: u64,
    cr4: u64,
    efer: u64,
}

impl Context {
    /// The state in which [`begin`] takes the CPU to that in `state`.
    fn beginning(state: &ApState) -> Self {
        /// `VCPU_HVM_MODE_64B`.
        const MODE_64: u32 = 1;
        /// The bit of RFLAGS that is always set.
        const FLAGS: u64 = 2;
        Self {
            mode: MODE_64,
            padding: 0,
            registers: [
                state.apic.into(),
                HAS_COME.into(),
                state.word,
                state.rip,
                state.rsp,
                0,
                state.rsi,
                state.rdi,
                crate::address!(begin),
                FLAGS,
            ],
            cr0: state.cr0,
            cr3: state.cr3,
            cr4: state.cr4,
            efer: state.efer,
        }
    }
}

const _: () = assert!(size_of::<Context>() == 120);

/// The first instructions of a CPU: it says that it has come, if it is not too late, and calls the function that the kernel has for it.
#[unsafe(naked)]
extern "sysv64" fn begin() {
    naked_asm!(
        "lock cmpxchg [rdx], ecx",
        "jne 2f",
        // The end of the chain of frames, in place of an address to return to.
        "push 0",
        "jmp rbx",
        "2:",
        "hlt",
        "jmp 2b",
    )
}
