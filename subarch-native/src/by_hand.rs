//! The leaf operations written by hand: what the compiler's work is measured by.
//!
//! Each is a loop in assembly, from its first instruction to its last, around what the processor's manual and a careful look at the
//! contract give for the operation. None of it was copied from the compiler's output; where that was longer, it was the operation that
//! was changed. The rules of the comparison are in [`arch::by_hand`].

use crate::apic::Register;
use crate::mmu::devices::LOCAL_APIC;
use crate::{Native, mmu, smp, time};
use arch::by_hand::Batch;
use arch::layout::DIRECT_MAP;
use arch::{ByHand, Pte, Slot, rounds};

/// Runs `rounds` rounds of `operation`.
///
/// # Safety
/// As for [`Subarch::by_hand`](arch::Subarch::by_hand).
pub unsafe fn run(operation: ByHand, slot: Slot, rounds: u64) -> Batch {
    // SAFETY: the caller vouches for the entry, and has interrupts masked. Everything else is read, or is as the core itself does it at any
    // time: the alarm is cancelled, a page's translation is dropped.
    unsafe {
        match operation {
            ByHand::Nothing | ByHand::TableGive | ByHand::TableTake | ByHand::Lazy | ByHand::MapDirect => {
                rounds!(Native, rounds, [])
            }
            ByHand::Disable
            | ByHand::Enable
            | ByHand::Flags
            | ByHand::Masked
            | ByHand::Save
            | ByHand::RestoreMasked
            | ByHand::RestoreUnmasked => interrupts(operation, rounds),
            ByHand::PageFaultAddress => rounds!(Native, rounds, ["mov {answer}, cr2"], answer = out(reg) _),
            ByHand::Cpuid => cpuid(rounds),
            ByHand::Pte | ByHand::Frame | ByHand::Root | ByHand::SetEntry | ByHand::FlushPage => {
                tables(operation, slot, rounds)
            }
            ByHand::Now | ByHand::Cycles | ByHand::Stolen => clocks(operation, rounds),
            ByHand::CyclesToDuration | ByHand::WallClock => durations(operation, rounds),
            ByHand::SetAlarm | ByHand::CancelAlarm => alarm(operation, rounds),
            ByHand::CpuCount => rounds!(Native, rounds, ["mov {answer:e}, [rip + {count}]"],
                answer = out(reg) _, count = sym smp::COUNT),
            ByHand::Spin => rounds!(Native, rounds, ["pause"]),
        }
    }
}

/// The interrupt flag.
///
/// # Safety
/// As for [`run`].
unsafe fn interrupts(operation: ByHand, rounds: u64) -> Batch {
    let [masked, unmasked] = [0x2_u64, 0x202];
    // SAFETY: the caller has interrupts masked, and the handlers are those that may run at any time.
    unsafe {
        match operation {
            ByHand::Disable => rounds!(Native, rounds, ["cli"]),
            ByHand::Enable => rounds!(Native, rounds, ["sti"]),
            ByHand::Flags => rounds!(Native, rounds, ["pushfq", "pop {answer}"], answer = out(reg) _),
            ByHand::Masked => rounds!(Native, rounds, ["test edi, 0x200", "setz dl"], in("rdi") masked, out("dl") _),
            ByHand::Save => rounds!(Native, rounds, ["pushfq", "pop {answer}", "cli"], answer = out(reg) _),
            ByHand::RestoreMasked => {
                rounds!(Native, rounds, ["test edi, 0x200", "jz 3f", "sti", "3:"], in("rdi") masked)
            }
            _ => rounds!(Native, rounds, ["test edi, 0x200", "jz 3f", "sti", "3:"], in("rdi") unmasked),
        }
    }
}

/// # Safety
/// As for [`run`].
unsafe fn cpuid(rounds: u64) -> Batch {
    // SAFETY: it changes registers only; RBX is put aside, as it is somebody else's.
    unsafe {
        rounds!(Native, rounds, ["mov eax, edi", "mov ecx, r8d", "mov {saved}, rbx", "cpuid", "xchg {saved}, rbx"],
            in("rdi") 0_u64, in("r8") 0_u64, saved = out(reg) _, out("eax") _, out("ecx") _, out("edx") _)
    }
}

/// Page tables.
///
/// # Safety
/// As for [`run`].
unsafe fn tables(operation: ByHand, slot: Slot, rounds: u64) -> Batch {
    /// Present, write-through, uncached: of these an entry for memory has the first and neither of the others.
    const KIND: u64 = 0b1_1001;
    let entry = slot.table.address() | 1;
    // SAFETY: the caller vouches for the entry; the rest reads.
    unsafe {
        match operation {
            ByHand::Pte => rounds!(Native, rounds, ["mov {pte}, {frame}", "shl {pte}, 12", "mov {rest}, {flags}",
                "and {rest}, [rip + {supported}]", "or {pte}, {rest}"],
                frame = in(reg) slot.table.0, flags = in(reg) 3_u64, pte = out(reg) _, rest = out(reg) _,
                supported = sym mmu::SUPPORTED),
            ByHand::Frame => {
                rounds!(Native, rounds, ["mov edx, edi", "and edx, {KIND}", "cmp edx, 1", "jne 3f", "mov rdx, rdi", "shr rdx, 12",
                "and rdx, {mask}", "3:"],
                in("rdi") entry, mask = in(reg) Pte::FRAME_MASK >> 12, out("rdx") _, KIND = const KIND)
            }
            ByHand::Root => rounds!(Native, rounds, ["mov {root}, cr3", "shr {root}, 12"], root = out(reg) _),
            ByHand::SetEntry => {
                rounds!(Native, rounds, ["mov {index}, {address}", "shr {index:e}, 9", "and {index:e}, 0xff8",
                "mov {entry}, {table}", "shl {entry}, 12", "add {entry}, {index}", "mov [{entry} + {direct_map}], {pte}"],
                address = in(reg) slot.address.as_u64(), table = in(reg) slot.table.0, pte = in(reg) 0_u64,
                direct_map = in(reg) DIRECT_MAP, index = out(reg) _, entry = out(reg) _)
            }
            _ => rounds!(Native, rounds, ["invlpg [{address}]"], address = in(reg) slot.address.as_u64()),
        }
    }
}

/// Clocks.
///
/// # Safety
/// As for [`run`].
unsafe fn clocks(operation: ByHand, rounds: u64) -> Batch {
    // SAFETY: all of it reads.
    unsafe {
        match operation {
            ByHand::Now => rounds!(Native, rounds, ["rdtsc", "shl rdx, 32", "or rax, rdx", "sub rax, [rip + {start}]",
                "mul qword ptr [rip + {rate}]", "shrd rax, rdx, 32"],
                start = sym time::START, rate = sym time::NANOSECONDS, out("rax") _, out("rdx") _),
            ByHand::Cycles => {
                rounds!(Native, rounds, ["rdtsc", "shl rdx, 32", "or rax, rdx"], out("rax") _, out("rdx") _)
            }
            _ => rounds!(Native, rounds, ["xor {answer:e}, {answer:e}"], answer = out(reg) _),
        }
    }
}

/// Times in seconds and nanoseconds: a division by a constant, which is a multiplication by its inverse.
///
/// # Safety
/// As for [`run`].
unsafe fn durations(operation: ByHand, rounds: u64) -> Batch {
    /// 2⁷⁵ / 5⁹, rounded up: as 10⁹ is 2⁹ · 5⁹, a ninth shift beforehand keeps the product exact.
    const INVERSE: u64 = 0x44_b82f_a09b_5a53;
    // SAFETY: it reads, and calculates.
    unsafe {
        match operation {
            ByHand::CyclesToDuration => rounds!(Native, rounds, ["mov rax, {cycles}", "mul qword ptr [rip + {rate}]",
                "shrd rax, rdx, 32", "mov rcx, rax", "shr rax, 9", "mul {inverse}", "shr rdx, 11",
                "imul eax, edx, 1000000000", "sub ecx, eax"],
                cycles = in(reg) 1_000_000_u64, rate = sym time::NANOSECONDS, inverse = in(reg) INVERSE,
                out("rcx") _, out("rax") _, out("rdx") _),
            _ => rounds!(Native, rounds, ["rdtsc", "shl rdx, 32", "or rax, rdx", "sub rax, [rip + {start}]",
                "mul qword ptr [rip + {rate}]", "shrd rax, rdx, 32", "add rax, [rip + {epoch}]", "mov rcx, rax", "shr rax, 9",
                "mul {inverse}", "shr rdx, 11", "imul eax, edx, 1000000000", "sub ecx, eax"],
                start = sym time::START, rate = sym time::NANOSECONDS, epoch = sym time::WALL_CLOCK,
                inverse = in(reg) INVERSE, out("rcx") _, out("rax") _, out("rdx") _),
        }
    }
}

/// The alarm.
///
/// # Safety
/// As for [`run`].
unsafe fn alarm(operation: ByHand, rounds: u64) -> Batch {
    /// A moment that does not come, in nanoseconds.
    const NEVER: u64 = 1 << 60;
    let timer = LOCAL_APIC.as_u64() + Register::InitialCount as u64;
    // SAFETY: the alarm is cancelled or set, which the core undoes.
    unsafe {
        match operation {
            ByHand::SetAlarm => {
                rounds!(Native, rounds, ["rdtsc", "shl rdx, 32", "or rax, rdx", "sub rax, [rip + {start}]",
                "mul qword ptr [rip + {rate}]", "shrd rax, rdx, 32", "mov {wait}, {deadline}", "sub {wait}, rax",
                "cmovb {wait}, {zero}", "mov rax, [rip + {farthest}]", "cmp {wait}, rax", "cmovb rax, {wait}",
                "mul qword ptr [rip + {ticks}]", "shrd rax, rdx, 32", "or eax, 1", "mov [rsi], eax"],
                start = sym time::START, rate = sym time::NANOSECONDS, farthest = sym time::FARTHEST, ticks = sym time::TICKS,
                deadline = in(reg) NEVER, zero = in(reg) 0_u64, in("rsi") timer, wait = out(reg) _, out("rax") _, out("rdx") _)
            }
            _ => rounds!(Native, rounds, ["mov dword ptr [{timer}], 0"], timer = in(reg) timer),
        }
    }
}
