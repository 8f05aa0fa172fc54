//! The ROM to begin with: `cargo xtask new-rom NAME` copies this file, and `docs/writing-a-rom.md` is the guide to it.
//!
//! It is complete and boots. The hypervisor it is for is QEMU's emulator, which signs `TCGTCGTCGTCG` and has no calls of its own, so
//! every function here does natively what the call means. Where a hypervisor of yours has something better, a comment begins with
//! YOURS: `grep -n YOURS` is the list of what to do. Each can be done alone, and the ROM boots in between.
#![no_std]
#![no_main]

use core::arch::x86_64::{__cpuid_count, CpuidResult};
use core::arch::{asm, naked_asm};
use core::mem::offset_of;
use vmi_rom::cell::Cell;
use vmi_rom::{address, alarm, clock, facts, operations};
use vmi64::{Answer, ApState, Call, InitRecord, PER_CPU_SIZE, Refusal};

// Header and entries. What the kernel tells at Init is in `vmi_rom::facts` before `init` is called.
vmi_rom::rom!(name: "template", init: crate::init, relocate: crate::relocate);

// ---- Init: is it our hypervisor, and what must be known later ----------------------------------------------------------------

/// YOURS: what your hypervisor leaves in EBX, ECX and EDX at its first leaf of CPUID.
const SIGNATURE: [u8; 12] = *b"TCGTCGTCGTCG";

/// Where hypervisors begin to answer CPUID. One that also plays another has its own leaves 100h, 200h, … behind it.
const FIRST_LEAF: u32 = 0x4000_0000;
/// How far apart they are.
const LEAVES: u32 = 0x100;
/// How many such places are looked at.
const PLACES: u32 = 16;

/// The leaf at which the hypervisor was found; those behind it say what it can do.
///
/// State of a ROM is in statics like this one, which lie in its data pages and are all zeroes at first.
static LEAF: Cell<u32> = Cell::new(0);

/// Called once, on the boot CPU, with interrupts masked and nothing patched; which may never come, so the kernel's native
/// instructions must go on working.
fn init(_: &InitRecord) -> Result<(), Refusal> {
    let leaf = recognise().ok_or(Refusal::NO_HYPERVISOR)?;
    // YOURS: ask the leaves behind it for what you rely on, and refuse without (numbers from 16 up are free), changing nothing.
    // Then, what it takes: a hypercall page, pages to share. Where a static lies physically, the page tables tell: the
    // record has the address of physical address 0, and CR3 is where they begin.
    // SAFETY: Init runs alone, with interrupts masked.
    unsafe { LEAF.set(leaf) };
    clock::start();
    build_mask();
    name_this_cpu();
    Ok(())
}

/// The leaf at which our hypervisor signs, if we are on it.
fn recognise() -> Option<u32> {
    // Bit 31 of ECX: there is some hypervisor. Without it, the leaves mean nothing.
    if cpuid(1).ecx >> 31 == 0 {
        return None;
    }
    let mut leaves = (0..PLACES).map(|place| FIRST_LEAF + place * LEAVES);
    leaves.find(|leaf| signature(*leaf) == SIGNATURE)
}

/// The signature at `leaf`.
fn signature(leaf: u32) -> [u8; 12] {
    let CpuidResult { ebx, ecx, edx, .. } = cpuid(leaf);
    let mut signature = [0; 12];
    for (bytes, register) in signature.chunks_exact_mut(4).zip([ebx, ecx, edx]) {
        bytes.copy_from_slice(&register.to_le_bytes());
    }
    signature
}

fn cpuid(leaf: u32) -> CpuidResult {
    __cpuid_count(leaf, 0)
}

// ---- GetRelocationInfo: what becomes of each operation -----------------------------------------------------------------------

/// Called once for each operation that the kernel has a site for; `room` is the size of its sites.
///
/// Each kind of answer has its example here. What is not mentioned stays native, at no cost, and on hardware virtualisation that is
/// right for most: page tables, returns, system calls.
fn relocate(call: Call, room: usize) -> Answer {
    let function = match call {
        // A few bytes at the very site. Never a call for what is two instructions.
        Call::DisableInterrupts => return mask(room),
        // What the kernel tells and this hypervisor need not hear. YOURS: with shadow page tables, you want to.
        Call::AllocatePage | Call::ReleasePage | Call::UpdatePxE | Call::SetLazyMode | Call::SetLinearMapping => {
            return Answer::Nop;
        }
        // Functions. Each is called directly from the site: no pointer, and no flag that somebody looks at.
        Call::APICWrite => address!(apic_write),
        Call::SetAlarm => address!(set_alarm),
        Call::CancelAlarm => address!(alarm::cancel_alarm),
        Call::Halt => address!(halt),
        Call::Shutdown => address!(shutdown),
        Call::SetInitialAPState => address!(name_cpu),
        // One clock, so all four or none.
        Call::GetCycleFrequency => address!(clock::frequency),
        Call::GetRealCycles => address!(real_cycles),
        Call::GetCycleCounter => address!(operations::cycle_counter),
        Call::GetWallclockTime => address!(clock::wall_clock),
        _ => return Answer::None,
    };
    Answer::CallRel(function)
}

// ---- The bytes of each CPU ---------------------------------------------------------------------------------------------------

/// 64 bytes at a fixed distance from the GS base of each CPU are the ROM's: reachable from every site in one instruction, and always
/// about the CPU that executes it. Zero at first.
///
/// YOURS: what your calls have to know about the CPU they come from. An address of a shared page, a number, a flag.
#[repr(C)]
struct PerCpu {
    /// The number of its local APIC, by which most hypervisors name a CPU.
    number: u32,
    /// How often it has masked interrupts.
    maskings: u32,
}
const _: () = assert!(size_of::<PerCpu>() <= PER_CPU_SIZE);

/// The boot CPU's bytes. Part of *Init*.
fn name_this_cpu() {
    let number = cpuid(1).ebx >> 24;
    // SAFETY: the bytes behind this distance are the ROM's, and GS is the kernel's here.
    unsafe {
        asm!("mov gs:[{bytes} + {field}], {number:e}", bytes = in(reg) facts::PER_CPU_OFFSET.get(),
            field = const offset_of!(PerCpu, number), number = in(reg) number, options(nostack, preserves_flags));
    }
}

/// Call 62: another CPU's bytes, before it is started. RDI = address of the state in which it will reach the kernel.
///
/// YOURS: what your hypervisor wants to know about a CPU before that begins, such as where its shared page is.
///
/// # Safety
/// `state` is of a CPU that has not been started.
unsafe extern "sysv64" fn name_cpu(state: &ApState) {
    let bytes = (state.gs_base + facts::PER_CPU_OFFSET.get()) as *mut PerCpu;
    let (number, maskings) = (state.apic, 0);
    // SAFETY: the bytes are the ROM's, and the CPU does not use them yet.
    unsafe { bytes.write_volatile(PerCpu { number, maskings }) }
}

// ---- An instruction at the site ----------------------------------------------------------------------------------------------

/// `cli; inc dword ptr gs:[distance]`: nine bytes, which is the room there is.
static MASK: Cell<[u8; 9]> = Cell::new([0; 9]);

/// Builds the instructions around the distance, which is the kernel's choice, in the data pages. Part of *Init*.
///
/// YOURS: if your hypervisor holds interrupts back by a flag in memory, this is `mov byte ptr gs:[distance], 1`, and
/// `vmi_rom::soft_if` shows what else it takes. If it does not, answer NONE instead: `cli` costs nothing in a virtual machine.
fn build_mask() {
    let distance = facts::PER_CPU_OFFSET.get() as u32 + offset_of!(PerCpu, maskings) as u32;
    let [a, b, c, d] = distance.to_le_bytes();
    // SAFETY: Init runs alone, with interrupts masked.
    unsafe { MASK.set([0xfa, 0x65, 0xff, 0x04, 0x25, a, b, c, d]) };
}

/// The answer to call 30. It may change flags and nothing else, and two instructions are two places for an interrupt, so
/// masking comes first.
fn mask(room: usize) -> Answer {
    let length = size_of_val(&MASK);
    if room < length {
        return Answer::None;
    }
    Answer::Inline {
        address: MASK.pointer() as u64,
        length,
    }
}

// ---- Functions ---------------------------------------------------------------------------------------------------------------
//
// They run in ring 0 on the stack of the site, which may not be aligned, with the kernel's GS, and interrupts as they are. Those
// below may change RAX, RCX, RDX, RSI, RDI, R8 to R11 and flags, as Rust functions may, but for `real_cycles`. No SSE.

/// Call 63. RDI = address of a register of the local APIC, ESI = value.
///
/// YOURS: what a kernel leaves the virtual machine for most often. The register is `register - facts::LOCAL_APIC`: B0h ends
/// an interrupt, 300h sends one to another CPU (310h, written before, says to which), 380h sets the timer.
///
/// # Safety
/// `register` is one of the local APIC's, and `value` fit for it.
unsafe extern "sysv64" fn apic_write(register: *mut u32, value: u32) {
    // SAFETY: the caller vouches for both.
    unsafe { register.write_volatile(value) }
}

/// Call 68. RDI = counter and flags, RSI = expiry, in cycles of the clock below.
///
/// YOURS: your hypervisor's one-shot timer, if it can raise the vector of the local APIC's timer, which the kernel has chosen.
extern "sysv64" fn set_alarm(flags: u64, expiry: u64) {
    alarm::set_alarm(flags, expiry);
}

/// Call 35: unmasks and waits, in one step. An interrupt that comes before the wait must end it.
///
/// YOURS: a hypercall in the place of `hlt`, if it is cheaper. EDI is this CPU's name by then.
#[unsafe(naked)]
extern "sysv64" fn halt() {
    naked_asm!(
        "mov rax, [rip + {distance}]",
        "mov edi, gs:[rax + {number}]",
        "sti",
        "hlt",
        "ret",
        distance = sym facts::PER_CPU_OFFSET,
        number = const offset_of!(PerCpu, number),
    )
}

/// Call 37: the machine shall end. It returns if there is nobody to tell, and the kernel tries what else there is.
///
/// YOURS: say so.
extern "sysv64" fn shutdown() {}

/// Call 75: the clock that everything goes by, in cycles. Changes RAX and RDX, and nothing else.
///
/// YOURS: your hypervisor's clock, if it has one that all CPUs agree on. Then 66 tells its frequency, 67 for 0 and 1 reads the
/// same, and `clock` and `alarm` of `vmi_rom`, which count in cycles of the time-stamp counter, are replaced as well.
#[unsafe(naked)]
extern "sysv64" fn real_cycles() {
    naked_asm!("rdtsc", "shl rdx, 32", "or rax, rdx", "ret")
}
