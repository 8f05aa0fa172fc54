//! Exceptions and interrupts, from the processor's gate to the core and back.
//!
//! The processor enters through one of 256 gates and says nowhere which, so there are 256 stubs whose only difference is the
//! number they push. All go on in common code that completes [`TrapFrame`] and calls the core directly: see [`stubs`].

pub mod stubs;

use crate::apic::LocalApic;
use crate::cpu;
use crate::mmu::shootdown;
use arch::{Interrupt, Kernel, MmuOps, TrapFrame, VirtAddr};
use core::fmt;
use spin::Once;
use x86_64::structures::DescriptorTablePointer;

/// The gates' number of the alarm: the local APIC's timer.
pub const ALARM_VECTOR: u8 = 0x40;

/// The gates' number of console input.
pub const CONSOLE_VECTOR: u8 = 0x41;

/// The gates' number of the core's inter-processor interrupt.
pub const IPI_VECTOR: u8 = 0x42;

/// The gates' number of the interrupt that asks to drop translations: [`shootdown`].
pub const SHOOTDOWN_VECTOR: u8 = 0x43;

/// The gates' number of the local APIC's spurious interrupt, which must not be acknowledged (Intel SDM, vol. 3, 12.9).
pub const SPURIOUS_VECTOR: u8 = 0xff;

/// Where the two old interrupt controllers are moved to; they are masked, but even so may raise a spurious interrupt.
pub const LEGACY_VECTORS: core::ops::Range<u8> = 0x20..0x30;

/// Distance of one trap stub from the next, in bytes.
pub const STUB_SIZE: u64 = 16;

/// What a vector stands for, and thereby what must be acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Vectors 0 to 31.
    Exception,
    /// An interrupt of the local APIC, which waits for its end to be reported.
    Interrupt(Interrupt),
    /// Another CPU wants translations dropped: an interrupt of the local APIC that the platform answers itself.
    Shootdown,
    /// An interrupt that nobody waits to be acknowledged.
    Stray(Interrupt),
    /// The local APIC withdrew an interrupt in the last moment. There is nothing to do.
    Spurious,
}

impl Event {
    /// What `vector` stands for.
    #[inline]
    pub fn of(vector: u8) -> Self {
        match vector {
            0..32 => Self::Exception,
            ALARM_VECTOR => Self::Interrupt(Interrupt::Alarm),
            CONSOLE_VECTOR => Self::Interrupt(Interrupt::Console),
            IPI_VECTOR => Self::Interrupt(Interrupt::Ipi),
            SHOOTDOWN_VECTOR => Self::Shootdown,
            SPURIOUS_VECTOR => Self::Spurious,
            other if LEGACY_VECTORS.contains(&other) => Self::Stray(Interrupt::Unexpected(other.into())),
            other => Self::Interrupt(Interrupt::Unexpected(other.into())),
        }
    }
}

/// Brings a trap to the core, on the platform `P`: what the stubs call.
///
/// # Safety
/// Called by the trap stubs only, with interrupts masked.
pub unsafe extern "C" fn dispatch<K: Kernel, P: LocalApic + MmuOps>(frame: &mut TrapFrame) {
    match Event::of(frame.vector as u8) {
        Event::Exception => K::exception(frame),
        Event::Interrupt(source) => {
            P::end_of_interrupt();
            K::interrupt(source);
            // SAFETY: the stubs' frame; the kernel's code may be read.
            unsafe { frame.end_halt() };
            K::interrupts_done(frame.mode());
        }
        Event::Shootdown => {
            P::end_of_interrupt();
            shootdown::answer::<P>();
        }
        Event::Stray(source) => K::interrupt(source),
        Event::Spurious => {}
    }
}

/// Brings a system call to the core: what the stub of `syscall` calls.
///
/// # Safety
/// Called by that stub only, with interrupts masked.
pub unsafe extern "C" fn system_call<K: Kernel>(frame: &mut TrapFrame) {
    K::system_call(frame);
}

/// A gate of the interrupt descriptor table (Intel SDM, vol. 3, fig. 7-8).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Gate {
    low: u64,
    high: u64,
}

impl Gate {
    /// An interrupt gate: `handler` runs in ring 0 with interrupts masked, on stack number `stack` of the task state segment,
    /// or on the interrupted one if that is 0.
    pub fn interrupt(handler: VirtAddr, code_segment: u16, stack: u8) -> Self {
        /// Present, for ring 0, of the type that masks interrupts on entry.
        const PRESENT_INTERRUPT_GATE: u64 = 0x8e00;
        let handler = handler.as_u64();
        Self {
            low: handler & 0xffff
                | u64::from(code_segment) << 16
                | u64::from(stack) << 32
                | PRESENT_INTERRUPT_GATE << 32
                | (handler >> 16 & 0xffff) << 48,
            high: handler >> 32,
        }
    }

    /// The same gate, which programs may enter by an `int` instruction of its number. Any other is a general protection fault to
    /// them, whatever the interrupt's number.
    const fn for_programs(self) -> Self {
        const RING_3: u64 = 3 << 45;
        Self {
            low: self.low | RING_3,
            ..self
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Gate({:#018x}, {:#010x})", self.low, self.high)
    }
}

/// Whether a program may raise `vector` itself: the breakpoint, which it has an instruction for, and the overflow trap, which it had one
/// for when there were 32 bits.
const fn is_for_programs(vector: u8) -> bool {
    matches!(vector, 3 | 4)
}

/// The interrupt descriptor table, from [`load`] on.
pub fn gates() -> Option<&'static [Gate; 256]> {
    GATES.get()
}

/// The table. It must not move once it is loaded, and does not change.
static GATES: Once<[Gate; 256]> = Once::new();

/// Points the executing processor at gates to the 256 stubs at `stubs`; all CPUs share the table.
///
/// # Safety
/// `stubs` were made by [`trap_stubs!`](crate::trap_stubs!), and [`cpu::load_segments`] was called.
pub unsafe fn load(stubs: VirtAddr) {
    let code = cpu::code_segment();
    let gates = GATES.call_once(|| {
        core::array::from_fn(|vector| {
            let vector = vector as u8;
            let stub = stubs + u64::from(vector) * STUB_SIZE;
            let gate = Gate::interrupt(stub, code, cpu::stack_of(vector));
            match is_for_programs(vector) {
                true => gate.for_programs(),
                false => gate,
            }
        })
    });
    let pointer = DescriptorTablePointer {
        limit: (size_of_val(gates) - 1) as u16,
        base: VirtAddr::from_ptr(gates),
    };
    // SAFETY: the table is complete and lives as long as the kernel.
    unsafe { x86_64::instructions::tables::lidt(&pointer) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_laid_out_as_the_processor_reads_it() {
        let gate = Gate::interrupt(VirtAddr::new(0xffff_ffff_8123_4567), 8, 1);
        assert_eq!(gate.low, 0x8123_8e01_0008_4567);
        assert_eq!(gate.high, 0xffff_ffff);
        assert_eq!(gate.for_programs().low, 0x8123_ee01_0008_4567);
    }

    #[test]
    fn programs_may_raise_two_traps_and_nothing_else() {
        let allowed = (0..=255).filter(|vector| is_for_programs(*vector));
        assert_eq!(allowed.collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn every_vector_stands_for_something() {
        assert_eq!(Event::of(14), Event::Exception);
        assert_eq!(Event::of(ALARM_VECTOR), Event::Interrupt(Interrupt::Alarm));
        assert_eq!(Event::of(IPI_VECTOR), Event::Interrupt(Interrupt::Ipi));
        assert_eq!(Event::of(SHOOTDOWN_VECTOR), Event::Shootdown);
        assert_eq!(Event::of(0x27), Event::Stray(Interrupt::Unexpected(0x27)));
        assert_eq!(Event::of(0x99), Event::Interrupt(Interrupt::Unexpected(0x99)));
        assert_eq!(Event::of(SPURIOUS_VECTOR), Event::Spurious);
    }
}
