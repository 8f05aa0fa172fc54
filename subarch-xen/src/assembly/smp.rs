//! Other CPUs: calling them, and waiting for them.

use crate::Xen;
use crate::hypercall::Call;
use crate::hypercall::event::SEND;
use arch::SmpOps;
use arch::percpu::CpuId;

pub use crate::event::CALLS;
pub use crate::smp::PATIENCE;

/// The number of hypercall `event_channel_op`, and of its command that raises an event.
pub const SEND_EVENT: [u64; 2] = [Call::EventChannelOp as u64, SEND];

/// Turn number `{turn}` of a wait.
#[macro_export]
#[doc(hidden)]
macro_rules! spin_in_assembly {
    () => {
        "cmp {turn:e}, {PATIENCE}
        jae 775f
        pause
        jmp 779f
        775:
        push {turn:r}
        call {spin}
        jmp 779f"
    };
}

/// Calls CPU `{cpu}`. RAX, RCX and R11 are changed.
#[macro_export]
#[doc(hidden)]
macro_rules! send_ipi_in_assembly {
    () => {
        ".if {COUNTED}
        jmp 775f
        .endif
        cmp {cpu}, {MAX_CPUS}
        jae 775f
        push rdi
        push rsi
        mov eax, [{CALLS} + {cpu}*4]
        push rax
        mov edi, {SEND}
        mov rsi, rsp
        mov eax, {EVENT_CHANNEL_OP}
        syscall
        test rax, rax
        pop rsi
        pop rsi
        pop rdi
        jns 779f
        775:
        push {cpu}
        call {send_ipi}
        779:"
    };
}

/// Calls a CPU.
pub extern "sysv64" fn send_ipi(cpu: u64) {
    Xen::send_ipi(CpuId(cpu as u32));
}

/// Lets others run, if turn number `turn` of a wait is a late one.
pub extern "sysv64" fn spin(turn: u64) {
    Xen::spin(turn as u32);
}
