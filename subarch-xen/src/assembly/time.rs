//! The clock and the alarm.

use crate::Xen;
use crate::hypercall::Call;
use crate::hypercall::vcpu::SET_SINGLESHOT_TIMER;
use arch::{Instant, TimeOps};

pub use crate::time::LATEST;

/// The number of hypercall `vcpu_op`, and of its command that sets an alarm.
pub const SET_ALARM: [u64; 2] = [Call::VcpuOp as u64, SET_SINGLESHOT_TIMER];

/// Offsets from the GS base of what [`now_in_assembly`](crate::now_in_assembly) reads; the rest of the `vcpu_info`'s time is behind.
pub mod clock {
    use arch::percpu::PLATFORM_OFFSET;
    use core::mem::offset_of;
    use xen_abi::TimeInfo;
    use xen_abi::VcpuInfo;

    const TIME: usize = PLATFORM_OFFSET + offset_of!(VcpuInfo, time);
    /// Of the number that is odd while Xen is writing.
    pub const VERSION: usize = TIME + offset_of!(TimeInfo, version);
    /// Of the counter at the moment that is known on both clocks.
    pub const CYCLES: usize = TIME + offset_of!(TimeInfo, cycles);
    /// Of system time at that moment.
    pub const SYSTEM_TIME: usize = TIME + offset_of!(TimeInfo, system_time);
    /// Of the factor that makes nanoseconds of cycles.
    pub const MULTIPLIER: usize = TIME + offset_of!(TimeInfo, multiplier);
    /// Of how far cycles are shifted before.
    pub const SHIFT: usize = TIME + offset_of!(TimeInfo, shift);
}

/// RDX and RAX become system time, as a product with 32 binary places; a reading is as in `xen-abi`, the guard against going back as in
/// `time.rs`. RCX, `{area}` and `{version}` are changed.
#[macro_export]
#[doc(hidden)]
macro_rules! now_in_assembly {
    () => {
        "775:
        mov {area}, gs:[{AREA}]
        mov {version:e}, [{area} + {VERSION}]
        movzx ecx, byte ptr [{area} + {SHIFT}]
        lfence
        rdtsc
        shl rdx, 32
        or rax, rdx
        sub rax, [{area} + {CYCLES}]
        jb 777f
        test cl, cl
        js 778f
        shl rax, cl
        776:
        mov edx, [{area} + {MULTIPLIER}]
        mul rdx
        shrd rax, rdx, 32
        add rax, [{area} + {SYSTEM_TIME}]
        test {version:e}, 1
        jnz 775b
        cmp {version:e}, [{area} + {VERSION}]
        jne 775b
        cmp {area}, gs:[{AREA}]
        jne 775b
        mov rdx, rax
        mov rax, [rip + {LATEST}]
        773:
        cmp rax, rdx
        jae 774f
        lock cmpxchg [rip + {LATEST}], rdx
        jne 773b
        mov rax, rdx
        774:
        mov rdx, rax
        shl rax, 32
        shr rdx, 32
        jmp 779f
        777:
        xor eax, eax
        jmp 776b
        778:
        neg cl
        shr rax, cl
        jmp 776b"
    };
}

/// Sets the alarm to system time `{deadline}`, which is changed, as are RAX, RCX, RDX, RSI, RDI, R11.
#[macro_export]
#[doc(hidden)]
macro_rules! set_alarm_in_assembly {
    () => {
        ".if {COUNTED}
        mov rdi, {deadline}
        push rdi
        call {set_alarm}
        jmp 779f
        .endif
        test {deadline}, {deadline}
        js 775f
        776:
        push 0
        push {deadline}
        mov edi, {SET_SINGLESHOT_TIMER}
        mov esi, gs:[{CPU_NUMBER}]
        mov rdx, rsp
        mov eax, {VCPU_OP}
        syscall
        pop {deadline}
        pop rcx
        test rax, rax
        jns 779f
        push {deadline}
        call {set_alarm}
        jmp 779f
        775:
        mov {deadline}, -1
        shr {deadline}, 1
        jmp 776b"
    };
}

/// Sets the alarm, or says by name why not.
pub extern "sysv64" fn set_alarm(deadline: u64) {
    Xen::set_alarm(Instant::from_nanoseconds(deadline));
}

/// Takes the alarm back.
pub extern "sysv64" fn cancel_alarm() {
    Xen::cancel_alarm();
}
