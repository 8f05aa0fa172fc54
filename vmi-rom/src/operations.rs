//! The operations as functions: what a call site of the kernel calls when it may not do the work itself.
//!
//! Each is the native instruction and a return, in assembly because the ABI promises more than Rust could: which registers
//! stay as they are, and that arguments arrive in those that the native bytes use. The table in `docs/vmi-64.md` is the
//! specification.

use core::arch::naked_asm;

/// Declares functions that consist of the given instructions and nothing else.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident { $($line:literal)* })*) => {
        $(
            $(#[$doc])*
            #[unsafe(naked)]
            pub extern "sysv64" fn $name() {
                naked_asm!($($line),*)
            }
        )*
    };
}

operations! {
    /// Call 0.
    cpuid { "cpuid" "ret" }
    /// Call 1.
    wrmsr { "wrmsr" "ret" }
    /// Call 2.
    rdmsr { "rdmsr" "ret" }
    /// Call 3.
    set_gdt { "lgdt [rdi]" "ret" }
    /// Call 5.
    set_idt { "lidt [rdi]" "ret" }
    /// Call 6.
    set_tr { "ltr di" "ret" }
    /// Call 11.
    write_gdt_entry { "mov [rdi + rsi * 8], rdx" "ret" }
    /// Call 13.
    write_idt_entry { "shl rsi, 4" "mov [rdi + rsi], rdx" "mov [rdi + rsi + 8], rcx" "ret" }
    /// Call 14.
    update_kernel_stack { "mov [rdi + 4], rsi" "ret" }
    /// Call 15.
    set_cr0 { "mov cr0, rdi" "ret" }
    /// Call 17.
    set_cr3 { "mov cr3, rdi" "ret" }
    /// Call 18.
    set_cr4 { "mov cr4, rdi" "ret" }
    /// Call 19.
    get_cr0 { "mov rax, cr0" "ret" }
    /// Call 20.
    get_cr2 { "mov rax, cr2" "ret" }
    /// Call 21.
    get_cr3 { "mov rax, cr3" "ret" }
    /// Call 22.
    get_cr4 { "mov rax, cr4" "ret" }
    /// Call 27.
    rdtsc { "rdtsc" "ret" }
    /// Call 29.
    enable_interrupts { "sti" "ret" }
    /// Call 30.
    disable_interrupts { "cli" "ret" }
    /// Call 31.
    get_interrupt_mask { "pushfq" "pop rax" "ret" }
    /// Call 32.
    set_interrupt_mask { "push rdi" "popfq" "ret" }
    /// Call 33, jumped to: the interrupt frame is all there is on the stack.
    iret { "test byte ptr [rsp + 8], 3" "jz 2f" "swapgs" "2:" "iretq" }
    /// Call 34, jumped to.
    sysret { "mov rsp, [rsp + 24]" "swapgs" "sysretq" }
    /// Call 35.
    halt { "sti" "hlt" "ret" }
    /// Call 38.
    set_pxe { "mov [rsi], rdi" "ret" }
    /// Call 46.
    inval_page { "invlpg [rdi]" "ret" }
    /// Call 47: reloading CR3 spares global translations, toggling CR4.PGE does not.
    flush_tlb {
        "test dil, 2"
        "jnz 2f"
        "mov rax, cr3"
        "mov cr3, rax"
        "ret"
        "2:"
        "mov rax, cr4"
        "mov rcx, rax"
        "xor rcx, 0x80"
        "mov cr4, rcx"
        "mov cr4, rax"
        "ret"
    }
    /// Call 63.
    apic_write { "mov [rdi], esi" "ret" }
    /// Call 64.
    apic_read { "mov eax, [rdi]" "ret" }
    /// Call 67: there is no hypervisor, so nothing is ever stolen.
    cycle_counter { "rdtsc" "shl rdx, 32" "or rax, rdx" "cmp edi, 2" "jb 2f" "xor eax, eax" "2:" "ret" }
    /// Call 75.
    real_cycles { "rdtsc" "shl rdx, 32" "or rax, rdx" "ret" }
    /// Calls 37, 40, 44, 45, 48, 62 and 73: there is nothing beneath that could use these notices.
    notice { "ret" }
}
