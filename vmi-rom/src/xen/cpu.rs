//! What there is for each virtual CPU: its words shared with Xen, its event channels, and the interrupts it was sent.
//!
//! The kernel names CPUs by the numbers of their local APICs, and Xen gives a virtual CPU's an even one, twice its own. Of the bytes that the
//! kernel grants a ROM at GS, eight are used: the address of all this.

use crate::cell::Cell;
use crate::facts;
use crate::xen::hypercall::{self, Virq};
use crate::xen::shared;
use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Relaxed};
use vmi64::Refusal;
use xen_abi::VcpuInfo;

/// How many virtual CPUs there can be.
pub const MOST: usize = 64;

/// `struct vcpu_runstate_info` (`vcpu.h`).
#[repr(C)]
#[derive(Debug)]
pub struct RunState {
    state: AtomicU32,
    padding: AtomicU32,
    /// When the present state was entered, in system time.
    pub since: AtomicU64,
    /// Nanoseconds in each state up to then: running, wanting to run, waiting, switched off.
    pub spent: [AtomicU64; 4],
}

/// How far the start of a CPU has come: it cannot be started, since events would not reach it.
pub const OUT_OF_REACH: u8 = 0;
/// Events reach it, and it starts by the messages of bare metal, since Xen does not want it to begin elsewhere.
pub const BY_MESSAGES: u8 = 1;
/// Events reach it, and Xen knows the state that it is to begin in.
pub const PREPARED: u8 = 2;
/// It was started.
pub const STARTED: u8 = 3;

/// A virtual CPU. The first part is Xen's.
#[repr(C, align(256))]
#[derive(Debug)]
pub struct Cpu {
    /// The words shared with Xen.
    pub info: VcpuInfo,
    /// The account of its time.
    pub runstate: RunState,
    /// The vectors of the interrupts that it was sent and has not been delivered, a bit each, as in a local APIC.
    pub requested: [AtomicU64; 4],
    /// Xen's number of it.
    pub number: AtomicU32,
    /// The event channel of its timer.
    pub timer: AtomicU32,
    /// The event channel of messages to it.
    pub messages: AtomicU32,
    /// What the kernel has written to the upper half of its APIC's command register.
    pub command_high: AtomicU32,
    /// The interrupt being handled is an event, of which the APIC knows nothing.
    pub handles_event: AtomicBool,
    /// How far its start has come.
    pub start: AtomicU8,
}

const _: () = assert!(size_of::<Cpu>() == 256);

impl Cpu {
    const fn new() -> Self {
        Self {
            info: VcpuInfo::new(),
            runstate: RunState {
                state: AtomicU32::new(0),
                padding: AtomicU32::new(0),
                since: AtomicU64::new(0),
                spent: [const { AtomicU64::new(0) }; 4],
            },
            requested: [const { AtomicU64::new(0) }; 4],
            number: AtomicU32::new(0),
            timer: AtomicU32::new(0),
            messages: AtomicU32::new(0),
            command_high: AtomicU32::new(0),
            handles_event: AtomicBool::new(false),
            start: AtomicU8::new(OUT_OF_REACH),
        }
    }

    /// Requests an interrupt; tells whether it had not been requested already.
    pub fn request(&self, vector: u8) -> bool {
        let bit = 1 << (vector & 63);
        let word = self.requested.get(usize::from(vector >> 6));
        word.is_some_and(|word| word.fetch_or(bit, AcqRel) & bit == 0)
    }

    /// Takes the highest vector off those requested.
    pub fn take_request(&self) -> Option<usize> {
        for (index, word) in self.requested.iter().enumerate().rev() {
            let bits = word.load(Relaxed);
            if bits != 0 {
                let bit = bits.ilog2();
                word.fetch_and(!(1 << bit), AcqRel);
                return Some(index << 6 | bit as usize);
            }
        }
        None
    }

    /// Whether there is another.
    pub fn has_request(&self) -> bool {
        self.requested.iter().any(|word| word.load(Relaxed) != 0)
    }

    /// Makes it known to Xen, and its event channels.
    ///
    /// # Errors
    /// A [`Refusal`] if Xen does not want to.
    ///
    /// # Safety
    /// It is this CPU, or one that was not started; nobody has done this before.
    pub unsafe fn set_up(&'static self, number: u32) -> Result<(), Refusal> {
        self.number.store(number, Relaxed);
        let place = &raw const *self as u64;
        let frame = shared::frame_of(place).ok_or(Refusal::MEMORY)?;
        // SAFETY: the head of the structure is Xen's, and in this ROM's data, which every address space maps.
        unsafe {
            if !hypercall::register_info(number, frame, (place & 0xfff) as u32) {
                return Err(REFUSED);
            }
            hypercall::register_runstate(number, &raw const self.runstate as u64);
        }
        // Xen takes everything to be pending in a place that is new.
        self.info.pending_selector.store(0, Relaxed);
        self.info.upcall_pending.store(0, Relaxed);
        self.timer
            .store(hypercall::bind_virq(Virq::Timer, number).ok_or(REFUSED)?, Relaxed);
        self.messages
            .store(hypercall::bind_messages(number).ok_or(REFUSED)?, Relaxed);
        Ok(())
    }
}

/// A hypercall that Xen should have carried out.
pub const REFUSED: Refusal = Refusal(16);

/// All virtual CPUs, by Xen's numbers.
pub static CPUS: [Cpu; MOST] = [const { Cpu::new() }; MOST];

/// Address of the CPU that *Init* was called on.
static BOOT: Cell<u64> = Cell::new(0);

/// Sets up the CPU that *Init* is called on.
///
/// # Errors
/// As [`Cpu::set_up`].
pub fn start(apic: u32) -> Result<(), Refusal> {
    let cpu = of(apic).ok_or(Refusal::MEMORY)?;
    // SAFETY: it is this CPU; Init is called once.
    unsafe {
        cpu.set_up(apic / 2)?;
        BOOT.set(&raw const *cpu as u64);
        let bytes = facts::PER_CPU_OFFSET.get();
        asm!("mov gs:[{}], {}", in(reg) bytes, in(reg) &raw const *cpu, options(nostack, preserves_flags));
    }
    cpu.start.store(STARTED, Relaxed);
    Ok(())
}

/// The virtual CPU whose local APIC has this number.
pub fn of(apic: u32) -> Option<&'static Cpu> {
    if apic & 1 == 0 {
        CPUS.get(apic as usize / 2)
    } else {
        None
    }
}

/// The virtual CPU that this is. The kernel's GS is in.
#[inline(always)]
pub fn this() -> &'static Cpu {
    let cpu: *const Cpu;
    // SAFETY: the bytes are this ROM's, and hold the address since before the CPU's first site.
    unsafe {
        asm!("mov {}, gs:[{}]", out(reg) cpu, in(reg) facts::PER_CPU_OFFSET.get(),
            options(nostack, readonly, preserves_flags));
        &*cpu
    }
}

/// Whether this is the CPU that *Init* was called on.
pub fn is_boot_cpu() -> bool {
    BOOT.get() == &raw const *this() as u64
}
