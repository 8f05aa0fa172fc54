//! Entries of page tables.

use crate::Xen;
use crate::hypercall::Call;
use crate::p2m::machine;
use arch::layout::DIRECT_MAP;
use arch::{MmuOps, PageTableLevel, Pfn, Pte, Slot, VirtAddr};

pub use crate::cpu::CPU;
pub use crate::hypercall::mmu::SELF;
pub use crate::mmu::queue::{CAPACITY, COLLECTING, LENGTH, OUTDATED, UPDATES};
pub use crate::mmu::{ALLOWED, FOREIGN, ROOT};
pub use crate::p2m::{FRAMES, LIST_IN_VIEW, MACHINE_FRAMES, MACHINE_TO_PHYSICAL};

/// The number of hypercall `mmu_update`.
pub const MMU_UPDATE: u64 = Call::MmuUpdate as u64;

/// Where the direct map is, for an instruction that has no room for so large a number.
pub static DIRECT_MAP_START: u64 = DIRECT_MAP;

/// The bits of an entry, present and not foreign, are in `{pte}`; becomes the address of the frame that it names. `{first}` and
/// `{second}` are changed.
///
/// An entry that names a frame of somebody else's, and is not marked as foreign, is one of Xen's own tables. It leads to
/// [`EMPTY`], in which nothing is mapped.
#[macro_export]
#[doc(hidden)]
macro_rules! frame_in_assembly {
    () => {
        "shl {pte}, 12
        shr {pte}, 24
        cmp {pte}, [rip + {MACHINE_FRAMES}]
        jae 775f
        movabs {first}, {MACHINE_TO_PHYSICAL}
        mov {first}, [{first} + {pte}*8]
        cmp {first}, [rip + {FRAMES}]
        jae 775f
        mov {second}, [rip + {LIST}]
        cmp [{second} + {first}*8], {pte}
        jne 775f
        mov {pte}, {first}
        shl {pte}, 12
        jmp 779f
        775:
        mov {pte}, offset {EMPTY}
        sub {pte}, {IMAGE_BASE}
        jmp 779f"
    };
}

/// The address of a frame is in `{address}`, flags are in `{pte}`, which becomes the entry. `{address}` and `{machine}` are changed.
#[macro_export]
#[doc(hidden)]
macro_rules! pte_in_assembly {
    () => {
        "and {pte}, [rip + {ALLOWED}]
        shr {address}, 12
        cmp {address}, [rip + {FRAMES}]
        jae 775f
        mov {machine}, [rip + {LIST}]
        mov {machine}, [{machine} + {address}*8]
        cmp {machine}, [rip + {MACHINE_FRAMES}]
        jae 775f
        shl {machine}, 12
        or {pte}, {machine}
        jmp 779f
        775:
        mov rdi, {address}
        and rsp, -16
        call {refuse}
        ud2"
    };
}

/// Entry number `{index}` of the table that the direct map shows at `{table}` becomes `{value}`. `{first}`, `{second}` and `{third}` are
/// changed.
///
/// In lazy MMU mode it joins the queue, if there is room; else Xen is asked at once. Whatever is not as usual is left to
/// [`set_entry`]: a queue that is full, a translation to be dropped with the entry, a table that is none, a refusal.
#[macro_export]
#[doc(hidden)]
macro_rules! set_entry_in_assembly {
    () => {
        "push qword ptr gs:[{PENDING}]
        mov byte ptr gs:[{MASK}], 1
        mov {first}, {table}
        sub {first}, [rip + {DIRECT_MAP}]
        shr {first}, 12
        cmp {first}, [rip + {FRAMES}]
        jae 775f
        mov {second}, [rip + {LIST}]
        mov {first}, [{second} + {first}*8]
        shl {first}, 12
        lea {first}, [{first} + {index}*8]
        mov {second}, gs:[{DISTANCE}]
        mov {third}, [{second} + {CPU} + {LENGTH}]
        cmp byte ptr [{second} + {CPU} + {COLLECTING}], 0
        je 777f
        cmp {third}, {CAPACITY} - 1
        je 775f
        inc qword ptr [{second} + {CPU} + {LENGTH}]
        shl {third}, 4
        add {second}, {third}
        mov [{second} + {CPU} + {UPDATES}], {first}
        mov [{second} + {CPU} + {UPDATES} + 8], {value}
        776:
        pop {first}
        test {first:e}, 0xff00
        jne 779f
        mov byte ptr gs:[{MASK}], 0
        cmp byte ptr gs:[{PENDING}], 0
        je 779f
        call {deliver}
        jmp 779f
        777:
        or {third}, [{second} + {CPU} + {OUTDATED}]
        jnz 775f
        .if {COUNTED}
        jmp 775f
        .endif
        push {value}
        push {first}
        push rax
        push rcx
        push rdx
        push rsi
        push rdi
        push r10
        push r11
        lea rdi, [rsp + 56]
        mov esi, 1
        xor edx, edx
        mov r10d, {SELF}
        mov eax, {MMU_UPDATE}
        syscall
        test rax, rax
        pop r11
        pop r10
        pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rax
        lea rsp, [rsp + 16]
        jns 776b
        775:
        push {value}
        push {index}
        push {table}
        call {set_entry}
        jmp 776b"
    };
}

/// What is wrong with a frame that has no entry: the operation that is written for it says so.
#[cold]
pub extern "sysv64" fn refuse(frame: u64) -> ! {
    let machine = machine(Pfn(frame));
    unreachable!("frame {frame:#x} is machine frame {machine:?}")
}

/// Writes an entry, now or later.
///
/// # Safety
/// As [`MmuOps::set_entry`] asks, for entry number `index` of the table that the direct map shows at `table`.
pub unsafe extern "sysv64" fn set_entry(table: u64, index: u64, value: u64) {
    let slot = Slot {
        table: Pfn::containing(table - DIRECT_MAP),
        level: PageTableLevel::One,
        address: VirtAddr::new_truncate(index << 12),
    };
    // SAFETY: the caller vouches for the same.
    unsafe { Xen::set_entry(slot, Pte::from_bits(value)) };
}

/// Drops what is cached of a page's translation.
pub extern "sysv64" fn flush_page(address: u64) {
    Xen::flush_page(VirtAddr::new_truncate(address));
}

/// A page in which no entry maps anything.
#[repr(align(4096))]
#[derive(Debug)]
pub struct EmptyTable(pub [Pte; 512]);

/// See [`EmptyTable`].
pub static EMPTY: EmptyTable = EmptyTable([Pte::EMPTY; 512]);
