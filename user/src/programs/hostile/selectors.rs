//! Ways into another privilege level: far jumps, calls and returns with a selector that is the kernel's.

use core::arch::asm;

/// A far pointer, as an instruction finds it in memory: an address (this program lies low enough for 32 bits) and a selector.
#[repr(C)]
struct Far {
    offset: u32,
    selector: u16,
}

impl Far {
    /// With `selector`, and the address to be filled in.
    fn to(selector: u64) -> Self {
        Self {
            offset: 0,
            selector: selector as u16,
        }
    }
}

/// What selectors a kernel usually has for itself: code and data of one without a hypervisor, and of Linux.
const CODE: u64 = 0x8;
/// Linux's 64-bit code.
const LINUX_CODE: u64 = 0x10;
/// Xen's own code.
const XEN_CODE: u64 = 0xe008;

/// The instructions by name.
pub const ALL: &[(&str, fn())] = &[
    ("iretq-kernel", || iret(CODE)),
    ("iretq-linux-kernel", || iret(LINUX_CODE)),
    ("iretq-xen", || iret(XEN_CODE)),
    ("iretq-null", || iret(0)),
    ("retfq-kernel", || far_return(CODE)),
    ("retfq-xen", || far_return(XEN_CODE)),
    ("jmp-far-kernel", || far_jump(CODE)),
    ("jmp-far-null", || far_jump(0)),
    ("call-far-kernel", || far_call(CODE)),
    ("call-far-xen", || far_call(XEN_CODE)),
];

/// Returns from an interrupt that never was, to code with `selector`.
fn iret(selector: u64) {
    // SAFETY: the instruction must fault; if not, it goes on at the next one with the same stack.
    unsafe {
        asm!(
            "mov rax, rsp",
            "mov rcx, ss",
            "push rcx",
            "push rax",
            "pushfq",
            "push {selector}",
            "lea rax, [rip + 2f]",
            "push rax",
            "iretq",
            "2:",
            selector = in(reg) selector, out("rax") _, out("rcx") _,
        );
    }
}

/// Returns from a far call that never was, to code with `selector`.
fn far_return(selector: u64) {
    // SAFETY: as above.
    unsafe {
        asm!("push {selector}", "lea rax, [rip + 2f]", "push rax", "retfq", "2:", selector = in(reg) selector, out("rax") _);
    }
}

/// Jumps to code with `selector`.
fn far_jump(selector: u64) {
    let mut target = Far::to(selector);
    // SAFETY: as above.
    unsafe {
        asm!(
            "lea rax, [rip + 2f]", "mov [{target}], eax", "jmp fword ptr [{target}]", "2:",
            target = in(reg) &raw mut target, out("rax") _,
        );
    }
}

/// Calls code with `selector`.
fn far_call(selector: u64) {
    let mut target = Far::to(selector);
    // SAFETY: as above; the words that a successful call has pushed are dropped.
    unsafe {
        asm!(
            "lea rax, [rip + 2f]", "mov [{target}], eax", "call fword ptr [{target}]", "2:", "add rsp, 8",
            target = in(reg) &raw mut target, out("rax") _,
        );
    }
}
