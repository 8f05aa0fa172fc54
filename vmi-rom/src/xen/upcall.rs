//! How events arrive: one interrupt for all of them.
//!
//! Xen knows a single way into a domain, a vector, and leaves it to the domain to find out by its shared words what happened. The kernel on the
//! other hand has a vector for each thing. So the gate of one vector leads here, that which the kernel has given its alarm. What
//! happened becomes a vector, as it would be the local APIC's, and the kernel's handler for that is entered in the state in which the processor
//! entered here: it sees the frame that hardware would have pushed, and nothing of this.
//!
//! Xen raises the vector by itself, past the local APIC, which therefore waits for nobody to tell it of the end
//! ([`apic`](super::apic)).

use crate::cell::Cell;
use crate::gates::{HANDLERS, Stubs, set_idt};
use crate::xen::cpu::{self, Cpu};
use crate::xen::shared::SHARED_INFO;
use crate::xen::{console, hypercall};
use core::arch::{global_asm, naked_asm};
use core::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use vmi64::Refusal;
use x86_64::structures::DescriptorTablePointer;

/// The vector that the kernel has given its alarm.
static VECTOR: Cell<u64> = Cell::new(0);

/// Takes note of the vector, as the local APIC's timer has it. Part of *Init*.
///
/// # Errors
/// [`Refusal::TIMER`] if it has none.
pub fn start(timer_entry: u32) -> Result<(), Refusal> {
    let vector = u64::from(timer_entry & 0xff);
    if vector < 32 {
        return Err(Refusal::TIMER);
    }
    // SAFETY: Init runs alone, with interrupts masked.
    unsafe { VECTOR.set(vector) };
    Ok(())
}

/// The one gate that leads into this ROM.
#[derive(Debug)]
pub enum Upcall {}

impl Stubs for Upcall {
    fn stub(vector: usize) -> u64 {
        if vector as u64 == VECTOR.get() {
            crate::address!(enter)
        } else {
            0
        }
    }
}

/// Call 5, the first of each CPU: from here on it can be reached by events.
///
/// # Safety
/// As [`set_idt`] asks.
pub unsafe extern "sysv64" fn arrive(pointer: &DescriptorTablePointer) {
    // SAFETY: the caller's promise; the gate of the upcall is in the table before events can arrive.
    unsafe {
        set_idt::<Upcall>(pointer);
        if cpu::is_boot_cpu() {
            hypercall::set_upcall_vector(VECTOR.get());
        }
    }
    let cpu = cpu::this();
    hypercall::stop_ticking(cpu.number.load(Relaxed));
    hypercall::unmask(cpu.timer.load(Relaxed));
    hypercall::unmask(cpu.messages.load(Relaxed));
}

/// Where the processor enters. Stack: RIP, CS, RFLAGS, RSP, SS, at a multiple of 16 but for 8. Interrupts are masked.
///
/// GS is a program's if that is where the interrupt came from, and is so again when the kernel's handler is entered.
///
/// An interrupt can only come from where the flag was set. QEMU 7.2, as a processor with SVM, delivers one that Xen injects a second time now and
/// then, at the first instruction below, where the flag is clear already and GS may be a program's. So what comes from there is sent back; nothing is
/// lost by it, since what waits still waits.
#[unsafe(naked)]
extern "sysv64" fn enter() {
    naked_asm!(
        "test dword ptr [rsp + 16], 0x200",
        "jz 4f",
        // A CPU that was about to wait has nothing to wait for any more.
        "push rax",
        "lea rax, [rip + {about_to_wait}]",
        "cmp rax, [rsp + 8]",
        "jne 5f",
        "inc qword ptr [rsp + 8]",
        "5:",
        "pop rax",
        // Room for the handler's address, nine registers, and a word to fill up.
        "push 0",
        "push rax",
        "push rcx",
        "push rdx",
        "push rsi",
        "push rdi",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "sub rsp, 8",
        "cld",
        "test byte ptr [rsp + 96], 3",
        "jz 2f",
        "swapgs",
        "call {handler}",
        "swapgs",
        "jmp 3f",
        "2:",
        "call {handler}",
        "3:",
        "mov [rsp + 80], rax",
        "add rsp, 8",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rdi",
        "pop rsi",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "ret",
        "4:",
        "iretq",
        handler = sym handler,
        about_to_wait = sym vmi_rom_about_to_wait,
    )
}

// Call 35. HLT is one byte, which `enter` skips if an event came right before it.
global_asm!(
    ".section .text.vmi_rom_halt, \"ax\"",
    ".globl vmi_rom_halt, vmi_rom_about_to_wait",
    "vmi_rom_halt:",
    "sti",
    "vmi_rom_about_to_wait:",
    "hlt",
    "ret",
    ".previous",
);

unsafe extern "C" {
    /// Call 35: unmasks and waits, in one step.
    ///
    /// HLT leaves the domain, and what Xen does then is its `SCHEDOP_block`. An event that is pending must not be delivered between the two
    /// instructions, or the CPU would wait for it for ever. Processors see to that: STI takes effect behind the next instruction. QEMU 7.2 forgets
    /// it if something else of the machine's interrupts the domain just there. So an event that comes right before HLT has it skipped.
    pub safe fn vmi_rom_halt();
    safe fn vmi_rom_about_to_wait();
}

/// The kernel's handler for what happened.
///
/// If nothing has, it is the local APIC's timer, as it may have been set before this ROM took over, or an event that was found together with
/// one before: an alarm in either case, which the kernel takes for a reason to look at the clock.
extern "sysv64" fn handler() -> u64 {
    let cpu = cpu::this();
    collect(cpu);
    let requested = cpu.take_request();
    cpu.handles_event.store(requested.is_some(), Relaxed);
    if cpu.has_request() {
        // One after the other: as long as this says that something waits, Xen raises the vector again.
        cpu.info.upcall_pending.store(1, SeqCst);
        hypercall::pass_by();
    }
    let vector = requested.unwrap_or(VECTOR.get() as usize) & 255;
    // SAFETY: the table has an entry for each vector, and was written before events could arrive.
    unsafe { HANDLERS.pointer().cast::<u64>().add(vector).read_volatile() }
}

/// Makes vectors of the events that wait for `cpu`. Messages have been made some by whoever sent them.
fn collect(cpu: &Cpu) {
    cpu.info.upcall_pending.store(0, SeqCst);
    cpu.info.pending_selector.swap(0, Acquire);
    if take_event(cpu.timer.load(Relaxed)) {
        cpu.request(VECTOR.get() as u8);
    }
    take_event(cpu.messages.load(Relaxed));
    if let Some((port, vector)) = console::wired()
        && cpu::is_boot_cpu()
        && take_event(port)
    {
        cpu.request(vector);
    }
}

/// Whether something happened on a channel, which is forgotten.
fn take_event(port: u32) -> bool {
    let bit = 1u64 << (port & 63);
    let word = SHARED_INFO.pending.get(port as usize >> 6);
    word.is_some_and(|word| word.load(Relaxed) & bit != 0 && word.fetch_and(!bit, Acquire) & bit != 0)
}
