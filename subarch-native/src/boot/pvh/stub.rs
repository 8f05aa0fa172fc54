//! From 32-bit protected mode to Rust.
//!
//! The loader jumps to the image's *physical* address in a mode that cannot even name the virtual one. So this code is linked
//! high like all other and computes each address it uses by subtraction, until paging is on and it can jump to where it
//! belongs. Its page tables are coarse and short-lived: 2 MiB pages, because every 64-bit processor has them, show the first
//! 4 GiB at address 0, in the direct map, and (1 GiB of it) at the image.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "a parameter keeps a function out of hosted programs"
)]

use super::IMAGE_BASE;
use crate::boot::{BOOT_STACK, BOOT_STACK_SIZE, Entry};
use crate::power::{EXIT_PORT, exit_value};
use arch::layout::{DIRECT_MAP, PAGE_SIZE};
use core::arch::naked_asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use pc_firmware::SERIAL_LINES;

/// How much of physical memory the stub's tables show in the direct map.
pub const SHOWN: u64 = 4 << 30;

/// The stub's page tables. The image's zeroed data must be zero, so only what is not is written.
#[repr(C, align(4096))]
struct BootTables {
    root: Entries,
    /// Third level of both the identity and the direct map.
    low: Entries,
    /// Third level of the image.
    high: Entries,
    /// Second level: 2048 pages of 2 MiB.
    directories: [Entries; 4],
}

type Entries = [u64; 512];

/// The tables, to be written by the stub alone.
#[expect(dead_code, reason = "assembly and the processor use it")]
struct BootTablesCell(UnsafeCell<BootTables>);

// SAFETY: only the stub writes, before there is anyone else, and only the processor reads.
unsafe impl Sync for BootTablesCell {}

/// The stub's page tables, in the zeroed part of the image.
static TABLES: BootTablesCell = BootTablesCell(UnsafeCell::new(BootTables {
    root: [0; 512],
    low: [0; 512],
    high: [0; 512],
    directories: [[0; 512]; 4],
}));

/// A code segment for 64-bit mode, as number 1; what the loader's table holds is unknown.
static DESCRIPTORS: [u64; 2] = [0, 0x00af_9b00_0000_ffff];

/// What is said to a processor that cannot run the kernel, in the words that every end of it has.
static NO_LONG_MODE: [u8; 66] = *b"PANIC: this processor has no 64-bit mode\r\nanyring: exit status 1\r\n";

/// The place of the entry of `level` that translates `address`, in bytes from its table's start.
const fn entry_offset(address: u64, level: u32) -> u64 {
    (address >> (12 + 9 * (level - 1)) & 511) * 8
}

/// The PVH entry point: 32-bit code without paging; EBX holds the start information's address.
///
/// The parts of it are functions of their own, generic like this one so that they exist in kernels only: no linker of a
/// hosted program would know what to do with their addresses. All through them EDI and ESI keep the cycle counter, and EBP
/// the start information.
///
/// # Safety
/// Entered by a PVH loader, and by nobody else.
#[unsafe(naked)]
#[unsafe(link_section = ".text.entry.pvh")]
pub unsafe extern "C" fn start<E: Entry>() -> ! {
    naked_asm!(
        ".code32",
        // The cycle counter comes first: the boot report counts from here.
        "rdtsc",
        "mov edi, eax",
        "mov esi, edx",
        "mov ebp, ebx",
        "cld",
        "mov esp, offset {stack} + {stack_top} - {base}",
        // Is there a 64-bit mode (leaf 80000001h, EDX bit 29)? EBX keeps the answer, which knows about no-execute too.
        "mov eax, 0x80000000",
        "cpuid",
        "cmp eax, 0x80000001",
        "jb {no_long_mode}",
        "mov eax, 0x80000001",
        "cpuid",
        "bt edx, 29",
        "jnc {no_long_mode}",
        "mov ebx, edx",
        "call {build_tables}",
        "jmp {start_paging}",
        ".code64",
        base = const IMAGE_BASE,
        stack = sym BOOT_STACK,
        stack_top = const STACK_TOP,
        build_tables = sym build_tables::<E>,
        start_paging = sym start_paging::<E>,
        no_long_mode = sym no_long_mode::<E>,
    )
}

/// Fills in [`TABLES`], still in 32-bit mode; changes EAX, ECX and EDX, which is left holding the root's address.
///
/// All tables lie below 4 GiB, so only the lower halves of entries are written.
///
/// # Safety
/// A step of the entry stub, in its order and its processor mode.
#[unsafe(naked)]
#[unsafe(link_section = ".text.entry.pvh")]
unsafe extern "C" fn build_tables<E: Entry>() {
    naked_asm!(
        ".code32",
        // Second level: present, writable, large.
        "mov edx, offset {tables} + {directories} - {base}",
        "mov eax, 0x83",
        "xor ecx, ecx",
        "2:",
        "mov [edx + ecx*8], eax",
        "add eax, 0x200000",
        "inc ecx",
        "cmp ecx, 2048",
        "jne 2b",
        // Third level: four directories for the low 4 GiB, the first of them for the image as well.
        "lea eax, [edx + 3]",
        "mov edx, offset {tables} + {low} - {base}",
        "mov dword ptr [edx], eax",
        "mov dword ptr [edx + {high} - {low} + {image_entry_3}], eax",
        "add eax, 0x1000",
        "mov dword ptr [edx + 8], eax",
        "add eax, 0x1000",
        "mov dword ptr [edx + 16], eax",
        "add eax, 0x1000",
        "mov dword ptr [edx + 24], eax",
        // The root.
        "lea eax, [edx + 3]",
        "mov edx, offset {tables} - {base}",
        "mov dword ptr [edx], eax",
        "mov dword ptr [edx + {direct_entry_4}], eax",
        "add eax, {high} - {low}",
        "mov dword ptr [edx + {image_entry_4}], eax",
        "ret",
        ".code64",
        base = const IMAGE_BASE,
        tables = sym TABLES,
        low = const offset_of!(BootTables, low),
        high = const offset_of!(BootTables, high),
        directories = const offset_of!(BootTables, directories),
        image_entry_3 = const entry_offset(IMAGE_BASE, 3),
        image_entry_4 = const entry_offset(IMAGE_BASE, 4),
        direct_entry_4 = const entry_offset(DIRECT_MAP, 4),
    )
}

/// Switches to the tables whose root EDX holds, and to 64-bit mode; EBX holds what the processor can do.
///
/// The order is the manual's (Intel SDM, vol. 3, 11.8.5): physical address extension, tables, long mode, paging. The last
/// step, into a 64-bit code segment, is a far return, since a far jump would need its target's address in the instruction.
///
/// # Safety
/// A step of the entry stub, in its order and its processor mode.
#[unsafe(naked)]
#[unsafe(link_section = ".text.entry.pvh")]
unsafe extern "C" fn start_paging<E: Entry>() -> ! {
    naked_asm!(
        ".code32",
        "mov eax, cr4",
        "or eax, 0x20",
        "mov cr4, eax",
        "mov cr3, edx",
        "mov ecx, 0xc0000080",
        "rdmsr",
        "or eax, 0x100",
        // No-execute as well, if there is such a thing (leaf 80000001h, EDX bit 20).
        "bt ebx, 20",
        "jnc 2f",
        "or eax, 0x800",
        "2:",
        "wrmsr",
        "mov eax, cr0",
        "or eax, 0x80000001",
        "mov cr0, eax",
        // The descriptor table's limit and address, on the stack from the third byte on.
        "mov eax, offset {descriptors} - {base}",
        "push eax",
        "mov eax, 0xf0000",
        "push eax",
        "lgdt [esp + 2]",
        "push 8",
        "mov eax, offset {long_mode} - {base}",
        "push eax",
        "retf",
        ".code64",
        base = const IMAGE_BASE,
        descriptors = sym DESCRIPTORS,
        long_mode = sym long_mode::<E>,
    )
}

/// The end on a processor that cannot run the kernel: a word to the serial line, which is as the firmware left it, and the
/// status 1 for a test bench.
///
/// # Safety
/// A step of the entry stub, in its order and its processor mode.
#[unsafe(naked)]
#[unsafe(link_section = ".text.entry.pvh")]
unsafe extern "C" fn no_long_mode<E: Entry>() -> ! {
    naked_asm!(
        ".code32",
        "mov esi, offset {message} - {base}",
        "mov ecx, {length}",
        "mov dx, {port}",
        "rep outsb",
        "mov dx, {exit_port}",
        "mov eax, {exit_status}",
        "out dx, eax",
        "2:",
        "hlt",
        "jmp 2b",
        ".code64",
        base = const IMAGE_BASE,
        message = sym NO_LONG_MODE,
        length = const NO_LONG_MODE.len(),
        port = const SERIAL_LINES[0].port,
        exit_port = const EXIT_PORT,
        exit_status = const exit_value(1),
    )
}

/// 64-bit code, still at its physical address: jumps to the virtual one, and calls [`main`](super::main).
///
/// # Safety
/// Entered by [`start_paging`], with the start information's address in EBP and the cycle counter in ESI and EDI.
#[unsafe(naked)]
#[unsafe(link_section = ".text.entry.pvh")]
unsafe extern "C" fn long_mode<E: Entry>() -> ! {
    naked_asm!(
        // A near jump by the distance between the two, 2 GiB back and around the end of the address space, just reaches.
        ".byte 0xe9",
        ".long {base} & 0xffffffff",
        // At home. Data segments mean nothing from here on.
        "xor eax, eax",
        "mov ss, eax",
        "mov ds, eax",
        "mov es, eax",
        "mov rsp, offset {stack} + {stack_top}",
        "mov eax, edi",
        "mov edi, ebp",
        "shl rsi, 32",
        "or rsi, rax",
        // The end of the chain of frames, for backtraces.
        "xor ebp, ebp",
        "call {main}",
        "ud2",
        base = const IMAGE_BASE,
        stack = sym BOOT_STACK,
        stack_top = const STACK_TOP,
        main = sym super::main::<E>,
    )
}

// As a distance, the base is the lowest that a near jump has.
const _: () = assert!(IMAGE_BASE as i64 == i32::MIN as i64);

/// Where the boot stack ends, in bytes from the start of its guard page.
const STACK_TOP: u64 = PAGE_SIZE + BOOT_STACK_SIZE as u64;

/// Writes the ELF note that tells loaders the PVH entry point (Xen's public header `elfnote.h`, `XEN_ELFNOTE_PHYS32_ENTRY`).
#[macro_export]
macro_rules! pvh_note {
    ($start:path) => {
        ::core::arch::global_asm!(
            ".pushsection .note.Xen, \"a\", @note",
            ".balign 4",
            // The sizes of name and value, and the type.
            ".long 4, 8, 18",
            ".asciz \"Xen\"",
            ".quad {start} - {base}",
            ".popsection",
            start = sym $start,
            base = const $crate::boot::pvh::IMAGE_BASE,
        );
    };
}
