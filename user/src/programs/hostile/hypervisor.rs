//! Past the kernel, to the hypervisor: where one emulates whole processors, the instruction that calls it is no privileged one, and no
//! kernel gets to see it. The hypervisor itself must tell a program from a kernel.

use crate::runtime::arguments::Arguments;
use core::arch::asm;

/// What a hypervisor says to whom it does not listen to: Xen's and KVM's "operation not permitted".
const NOT_PERMITTED: i64 = -1;

/// Asks for a version: Xen's hypercall 17, with its question 0. If that is answered, the program has gone too far.
pub fn call(arguments: &Arguments) -> u8 {
    let name = arguments.required(1);
    let mut result = 17;
    // SAFETY: the question has no pointer in it, and an answer changes no register but the first.
    unsafe {
        match name {
            "vmcall" => asm!("vmcall", inout("rax") result, in("rdi") 0, in("rsi") 0, options(nostack)),
            "vmmcall" => asm!("vmmcall", inout("rax") result, in("rdi") 0, in("rsi") 0, options(nostack)),
            other => arguments.refuse("does not know the instruction", other),
        }
    }
    if result == NOT_PERMITTED {
        return 0;
    }
    super::survived(name)
}
