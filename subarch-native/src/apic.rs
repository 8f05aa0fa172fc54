//! The local APIC: each CPU's own interrupt controller, and its alarm clock.
//!
//! Its registers are memory at an address that never changes once the kernel runs on its own page tables, so that setting an
//! alarm or ending an interrupt is a single store (Intel SDM, vol. 3, chapter 12; offsets in table 12-1).

use crate::Native;
use crate::mmu::devices::{Device, LOCAL_APIC};
use crate::trap::{ALARM_VECTOR, SPURIOUS_VECTOR};
use x86_64::registers::model_specific::Msr;

/// A register of the local APIC, by its offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Register {
    /// The number of this CPU's APIC, in the top byte.
    Id = 0x20,
    /// Interrupts of a priority up to this one are held back.
    TaskPriority = 0x80,
    /// A write ends the interrupt being handled.
    EndOfInterrupt = 0xb0,
    /// The APIC's switch and the vector of spurious interrupts.
    Spurious = 0xf0,
    /// A write sends an interrupt to the CPU that [`CommandHigh`](Self::CommandHigh) names.
    CommandLow = 0x300,
    /// The number of the APIC that the next command is for, in the top byte.
    CommandHigh = 0x310,
    /// The timer's entry of the local vector table.
    Timer = 0x320,
    /// The entry of the input that the old interrupt controllers are wired to.
    LocalInput0 = 0x350,
    /// A write starts the timer to count down from there; 0 stops it.
    InitialCount = 0x380,
    /// Where the timer has come to.
    CurrentCount = 0x390,
    /// What the timer's clock is divided by.
    Divide = 0x3e0,
}

/// The bit of an entry of the local vector table that masks it.
pub const MASKED: u32 = 1 << 16;

/// The setting of [`Register::Divide`] that divides by 1.
pub const DIVIDE_BY_1: u32 = 0b1011;

/// How code that several bare-metal platforms share reaches the executing CPU's local APIC.
pub trait LocalApic {
    /// Reads a register.
    fn read_apic(register: Register) -> u32;

    /// Writes a register.
    ///
    /// # Safety
    /// As for [`write()`].
    unsafe fn write_apic(register: Register, value: u32);

    /// Reports the end of the interrupt being handled.
    fn end_of_interrupt();
}

impl LocalApic for Native {
    #[inline(always)]
    fn read_apic(register: Register) -> u32 {
        read(register)
    }

    /// # Safety
    /// As for [`write()`].
    #[inline(always)]
    unsafe fn write_apic(register: Register, value: u32) {
        // SAFETY: the caller vouches for the effect.
        unsafe { write(register, value) };
    }

    #[inline(always)]
    fn end_of_interrupt() {
        // SAFETY: it lets the next interrupt come, when this CPU unmasks them.
        unsafe { write(Register::EndOfInterrupt, 0) };
    }
}

/// Reads a register.
#[inline(always)]
pub fn read(register: Register) -> u32 {
    // SAFETY: the registers are mapped before anyone has an interrupt or an alarm to ask about; reading changes none.
    unsafe { address(register).read_volatile() }
}

/// Writes a register.
///
/// # Safety
/// The value makes the APIC raise no interrupt but those that the gates are ready for.
#[inline(always)]
pub unsafe fn write(register: Register, value: u32) {
    // SAFETY: mapped, as for `read`; the caller vouches for the effect.
    unsafe { address(register).write_volatile(value) };
}

/// Starts the timer to raise the alarm after `count` ticks of its clock; 0 stops it.
#[inline(always)]
pub fn start_timer(count: u32) {
    // SAFETY: the timer's vector has a gate.
    unsafe { write(Register::InitialCount, count) };
}

/// The number of this CPU's local APIC.
pub fn id() -> u8 {
    (read(Register::Id) >> 24) as u8
}

/// Switches this CPU's local APIC on, in the mode whose registers are memory; returns where those are, to be mapped.
///
/// # Safety
/// The processor has a local APIC. Called by the boot code of each CPU with interrupts masked, before anyone uses it.
pub unsafe fn find() -> Device {
    /// Where the registers are, and in which mode the APIC is (Intel SDM, vol. 3, 12.4.4 and 12.12.1).
    const BASE: u32 = 0x1b;
    /// The APIC is on.
    const ENABLED: u64 = 1 << 11;
    /// The APIC is in x2APIC mode: its registers are not in memory.
    const REGISTERS_ARE_MSRS: u64 = 1 << 10;
    let mut base = Msr::new(BASE);
    // SAFETY: the processor has the register, as the caller promises; nobody uses the APIC yet. Firmware may have left it in
    // the mode without memory registers, from which the way back leads through "off".
    unsafe {
        let value = base.read();
        if value & REGISTERS_ARE_MSRS != 0 {
            base.write(value & !(REGISTERS_ARE_MSRS | ENABLED));
        }
        base.write(value & !REGISTERS_ARE_MSRS | ENABLED);
        Device::registers(LOCAL_APIC, value & 0x000f_ffff_ffff_f000)
    }
}

/// Sets this CPU's local APIC up: everything comes through but the old interrupt controllers, and the timer counts single ticks.
///
/// # Safety
/// [`find`] was called and its answer is mapped; the gates are loaded; interrupts are masked.
pub unsafe fn set_up() {
    /// The second switch, in the spurious interrupt register: while it is off, all of the vector table is masked.
    const SOFTWARE_ENABLE: u32 = 1 << 8;
    // SAFETY: the vectors have gates, and nothing starts to count yet.
    unsafe {
        write(Register::LocalInput0, MASKED);
        write(Register::Spurious, SOFTWARE_ENABLE | u32::from(SPURIOUS_VECTOR));
        write(Register::TaskPriority, 0);
        write(Register::InitialCount, 0);
        write(Register::Divide, DIVIDE_BY_1);
        write(Register::Timer, u32::from(ALARM_VECTOR));
    }
}

/// Where `register` is mapped.
#[inline(always)]
pub fn address(register: Register) -> *mut u32 {
    (LOCAL_APIC.as_u64() + register as u64) as *mut u32
}
