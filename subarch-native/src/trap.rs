//! Exceptions and interrupts, from the processor's gate to the core and back.
//!
//! The processor enters through one of 256 gates and says nowhere which, so there are 256 stubs whose only difference is the
//! number they push. All go on in common code that completes [`TrapFrame`], calls the core directly, and returns by whatever
//! text the platform's `entry!` macro was given: `iretq` here, a patched call site under VMI.

use crate::mmu::shootdown;
use crate::{Native, apic, cpu};
use arch::{Interrupt, Kernel, TrapFrame, VirtAddr};
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

/// Brings a trap to the core: what the stubs call.
///
/// # Safety
/// Called by the trap stubs only, with interrupts masked.
pub unsafe extern "C" fn dispatch<K: Kernel>(frame: &mut TrapFrame) {
    match Event::of(frame.vector as u8) {
        Event::Exception => K::exception(frame),
        Event::Interrupt(source) => {
            apic::end_of_interrupt();
            K::interrupt(source);
            K::interrupts_done();
        }
        Event::Shootdown => {
            apic::end_of_interrupt();
            shootdown::answer::<Native>();
        }
        Event::Stray(source) => K::interrupt(source),
        Event::Spurious => {}
    }
}

/// Defines the function `trap_stubs`: 256 stubs of [`STUB_SIZE`] bytes, and what they have in common.
///
/// The arguments are those of [`entry_with!`](crate::entry_with!). At the text given as `interrupt_return` all registers are
/// the interrupted code's but RSP, which points to the frame that `iretq` takes.
#[macro_export]
macro_rules! trap_stubs {
    (
        dispatch = $dispatch:path,
        interrupt_return = [$($return:tt)+],
        operands = { $($operands:tt)* } $(,)?
    ) => {
        /// Builds a [`TrapFrame`](arch::TrapFrame) around the registers, calls the platform's dispatch, and returns.
        #[unsafe(naked)]
        extern "C" fn trap_return() {
            ::core::arch::naked_asm!(
                "push rdi", "push rsi", "push rdx", "push rcx", "push rax", "push r8", "push r9", "push r10",
                "push r11", "push rbx", "push rbp", "push r12", "push r13", "push r14", "push r15",
                "cld",
                // The frame is the argument; its size keeps the stack aligned as the processor aligned it.
                "mov rdi, rsp",
                "call {dispatch}",
                "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx", "pop r11",
                "pop r10", "pop r9", "pop r8", "pop rax", "pop rcx", "pop rdx", "pop rsi", "pop rdi",
                // The vector and the error code.
                "add rsp, 16",
                $($return)+,
                dispatch = sym $dispatch,
                $($operands)*
            )
        }

        /// The 256 stubs, by vector: each pushes an error code, unless the processor did, and its number.
        #[unsafe(naked)]
        extern "C" fn trap_stubs() {
            ::core::arch::naked_asm!(
                ".balign 16",
                ".set .Lvector, 0",
                ".rept 256",
                ".balign 16, 0xcc",
                ".if .Lvector >= 32 || (({with_error_code} >> .Lvector) & 1) == 0",
                "push 0",
                ".endif",
                // push imm32
                ".byte 0x68",
                ".long .Lvector",
                "jmp {common}",
                ".set .Lvector, .Lvector + 1",
                ".endr",
                with_error_code = const $crate::trap::WITH_ERROR_CODE,
                common = sym trap_return,
            )
        }
    };
}

/// [`Exception::WITH_ERROR_CODE`](arch::Exception::WITH_ERROR_CODE), for the macro.
pub const WITH_ERROR_CODE: u32 = arch::Exception::WITH_ERROR_CODE;

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
}

impl fmt::Debug for Gate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Gate({:#018x}, {:#010x})", self.low, self.high)
    }
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
            let stub = stubs + vector as u64 * STUB_SIZE;
            Gate::interrupt(stub, code, cpu::stack_of(vector as u8))
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
