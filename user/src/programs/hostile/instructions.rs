//! The privileged instructions (Intel SDM, vol. 3, 5.9; AMD64 manual, vol. 2, 4.8 and 15).

use core::arch::asm;

/// Functions that execute one of these instructions each, with registers that would make it harmless if it were permitted; the list has
/// their names, which are the instructions' with their operands.
macro_rules! instructions {
    ($($name:literal: $($code:literal),+;)*) => {
        /// The instructions by name.
        pub const ALL: &[(&str, fn())] = &[$(($name, {
            fn execute() {
                // SAFETY: the instruction must not be executed; if it is, the program says so and ends. All registers that one of
                // them may change are given up.
                unsafe {
                    asm!(
                        $($code),+,
                        inout("rax") 0_u64 => _, inout("rcx") 0_u64 => _, inout("rdx") 0_u64 => _,
                        inout("rsi") SCRATCH.0.as_ptr() => _, inout("rdi") SCRATCH.0.as_ptr() => _,
                        out("r8") _, out("r9") _, out("r10") _, out("r11") _,
                    );
                }
            }
            execute
        })),*];
    };
}

/// Where an instruction finds its operand in memory.
#[repr(align(64))]
struct Scratch([u8; 256]);
static SCRATCH: Scratch = Scratch([0; 256]);

instructions! {
    "cli": "cli";
    "sti": "sti";
    "hlt": "hlt";
    "in-al-dx": "mov edx, 0x3f8", "in al, dx";
    "in-al-imm": "in al, 0x80";
    "in-eax-dx": "mov edx, 0xcf8", "in eax, dx";
    "out-dx-al": "mov edx, 0x80", "out dx, al";
    "out-imm-al": "out 0x80, al";
    "out-dx-eax": "mov edx, 0xcf8", "out dx, eax";
    "insb": "mov edx, 0x3f8", "insb";
    "outsb": "mov edx, 0x80", "outsb";
    "rep-outsb": "mov edx, 0x80", "mov ecx, 4", "rep outsb";
    "lgdt": "lgdt [rsi]";
    "lidt": "lidt [rsi]";
    "lldt": "lldt ax";
    "ltr": "ltr ax";
    "lmsw": "lmsw ax";
    "clts": "clts";
    "mov-rax-cr0": "mov rax, cr0";
    "mov-rax-cr2": "mov rax, cr2";
    "mov-rax-cr3": "mov rax, cr3";
    "mov-rax-cr4": "mov rax, cr4";
    "mov-rax-cr8": "mov rax, cr8";
    "mov-cr0-rax": "mov cr0, rax";
    "mov-cr2-rax": "mov cr2, rax";
    "mov-cr3-rax": "mov cr3, rax";
    "mov-cr4-rax": "mov cr4, rax";
    "mov-cr8-rax": "mov cr8, rax";
    "mov-rax-dr0": "mov rax, dr0";
    "mov-rax-dr7": "mov rax, dr7";
    "mov-dr0-rax": "mov dr0, rax";
    "mov-dr7-rax": "mov dr7, rax";
    "rdmsr-efer": "mov ecx, 0xc0000080", "rdmsr";
    "rdmsr-apic-base": "mov ecx, 0x1b", "rdmsr";
    "wrmsr-lstar": "mov ecx, 0xc0000082", "wrmsr";
    "wrmsr-gs-base": "mov ecx, 0xc0000101", "wrmsr";
    "wrmsr-kernel-gs-base": "mov ecx, 0xc0000102", "wrmsr";
    "rdpmc": "rdpmc";
    "invlpg": "invlpg [rsi]";
    "invpcid": "invpcid rax, [rsi]";
    "invd": "invd";
    "wbinvd": "wbinvd";
    "swapgs": "swapgs";
    "sysretq": "sysretq";
    "sysretl": "sysret";
    "sysexit": "sysexit";
    "sysenter": "sysenter";
    "rsm": "rsm";
    "monitor": "monitor";
    "mwait": "mwait";
    "xsetbv": "xsetbv";
    "stac": "stac";
    "clac": "clac";
    "wrfsbase": "wrfsbase rax";
    "wrgsbase": "wrgsbase rax";
    "rdfsbase": "rdfsbase rax";
    "vmlaunch": "vmlaunch";
    "vmresume": "vmresume";
    "vmxoff": "vmxoff";
    "vmptrld": "vmptrld [rsi]";
    "vmread": "vmread rax, rcx";
    "vmrun": "vmrun";
    "vmload": "vmload";
    "vmsave": "vmsave";
    "stgi": "stgi";
    "clgi": "clgi";
    "skinit": "skinit eax";
    "invlpga": "invlpga rax, ecx";
}
