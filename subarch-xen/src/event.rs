//! Event channels, and who is told of what.
//!
//! Xen has no interrupt controller to offer, it has two levels of bits. An event sets its bit in the shared page, then the bit
//! of that word in the CPU's selector, then the CPU's `upcall_pending`; if the CPU does not mask events it is made to call
//! [`upcall`]. The walk back down (`event/walk.rs`) takes each level *before* it looks at the one below, so that an event that
//! arrives in the middle is either still found or makes Xen call again, never lost.
//!
//! Each CPU has a channel for its timer and one for the other CPUs to call it by; the console's belongs to the boot CPU. Which
//! CPU an event is for is Xen's knowledge, and Xen sets the selector of that one only. But bits of several CPUs share a word of
//! the page, so each CPU also knows which are its own.
//!
//! An event is acknowledged before it is handled: one that happens again during the handler is a new one.

mod walk;

use crate::cpu;
use crate::hypercall::event::{Port, Virq, bind_ipi, bind_virq, send, unmask};
use crate::hypercall::{Granted, Refused};
use arch::percpu::{CpuId, MAX_CPUS, PerCpu, PerCpuVar};
use arch::user::Mode;
use arch::{Interrupt, Kernel};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use walk::Own;
use xen_abi::SharedInfo;
use xen_abi::shared_info::WORDS;

/// No event channel: Xen never gives out port 0.
const NONE: u32 = 0;

/// What one CPU is told of.
#[derive(Debug)]
struct Channels {
    /// All of them.
    own: Own,
    timer: AtomicU32,
    ipi: AtomicU32,
}

/// Where the page that Xen shares with the domain is seen once the boot code has mapped it.
pub static SHARED_INFO: SharedInfo = SharedInfo::new();

#[unsafe(link_section = ".percpu")]
static CHANNELS: PerCpuVar<Channels> = PerCpuVar::new(Channels {
    own: [const { AtomicU64::new(0) }; WORDS],
    timer: AtomicU32::new(NONE),
    ipi: AtomicU32::new(NONE),
});

/// The channel that announces console input.
static CONSOLE: AtomicU32 = AtomicU32::new(NONE);

/// The channel of each CPU by which the others call it, for those others.
pub static CALLS: [AtomicU32; MAX_CPUS as usize] = [const { AtomicU32::new(NONE) }; MAX_CPUS as usize];

/// Masks every event channel: whatever the domain was started with, nothing arrives that nobody asked for.
pub fn mask_all() {
    for word in &SHARED_INFO.mask {
        word.store(u64::MAX, SeqCst);
    }
}

/// Asks for what every CPU is told of, on behalf of the one that `area` is for: its timer, and calls of other CPUs.
///
/// # Errors
/// Xen has no more channels, or the domain no such CPU.
pub fn listen_on(area: &'static PerCpu) -> Result<(), Refused> {
    let (cpu, channels) = (area.cpu(), CHANNELS.of(area));
    channels.listen(&channels.timer, bind_virq(Virq::Timer, cpu.0)?)?;
    let call = bind_ipi(cpu.0)?;
    channels.listen(&channels.ipi, call)?;
    CALLS[cpu.0 as usize].store(call.0, Relaxed);
    Ok(())
}

/// Asks for the events that announce console input: on the console's own channel, or as dom0 on Xen's. Both are the boot CPU's,
/// which calls this.
pub fn listen_to_console(own: Option<Port>) {
    let port = own.unwrap_or_else(|| bind_virq(Virq::Console, 0).granted());
    CHANNELS.of(PerCpu::current()).listen(&CONSOLE, port).granted();
}

/// Calls `cpu`.
#[inline]
pub fn send_ipi(cpu: CpuId) {
    send(Port(CALLS[cpu.0 as usize].load(Relaxed))).granted();
}

/// Handles everything that is pending on this CPU. Called by the stub that Xen enters, with events masked.
///
/// What comes after the last look is delivered by the hypercall with which the stub leaves, on whichever CPU that is by then.
pub extern "C" fn upcall<K: Kernel>(code_selector: u64) {
    while let Some(source) = next() {
        K::interrupt(source);
    }
    K::interrupts_done(Mode::of(code_selector));
}

/// Takes the next event of this CPU, whichever it is by now: a handler may return on another than it was called on.
fn next() -> Option<Interrupt> {
    // SAFETY: events are masked, so this CPU it stays; and all fields are atomics.
    let channels = unsafe { CHANNELS.this() };
    walk::take(cpu::vcpu_info(), &SHARED_INFO, &channels.own).map(|port| channels.source(port))
}

impl Channels {
    /// Remembers `port` as the one for `source`, and as one of this CPU's, then lets it through: at once, if it is pending
    /// already.
    fn listen(&self, source: &AtomicU32, port: Port) -> Result<(), Refused> {
        let (word, bit) = (port.0 / u64::BITS, port.0 % u64::BITS);
        source.store(port.0, Relaxed);
        self.own[word as usize].fetch_or(1 << bit, Relaxed);
        unmask(port)?;
        Ok(())
    }

    /// What the core knows event channel `port` as.
    fn source(&self, port: u32) -> Interrupt {
        if port == self.timer.load(Relaxed) {
            Interrupt::Alarm
        } else if port == self.ipi.load(Relaxed) {
            Interrupt::Ipi
        } else if port == CONSOLE.load(Relaxed) {
            Interrupt::Console
        } else {
            Interrupt::Unexpected(port)
        }
    }
}
