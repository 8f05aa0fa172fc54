//! The local APIC, as far as it is used to speak to other CPUs.
//!
//! Each access to its registers stops the processor, and Xen reads the instruction to find out what was wanted. Of the registers in use, four
//! need not be accessed: the two halves of the command register, whose meaning is a message, and that which ends an interrupt, if it was
//! none of the APIC's. Whatever is none of these is done as on bare metal, so that interrupts of devices go on working.

use crate::facts::LOCAL_APIC;
use crate::xen::cpu::{self, BY_MESSAGES, Cpu, OUT_OF_REACH};
use crate::xen::{hypercall, start};
use core::sync::atomic::Ordering::Relaxed;

/// Offsets of registers (AMD64 manual, vol. 2, table 16-2).
const ID: u64 = 0x20;
const END_OF_INTERRUPT: u64 = 0xb0;
const COMMAND_LOW: u64 = 0x300;
const COMMAND_HIGH: u64 = 0x310;
const TIMER: u64 = 0x320;

/// The number of this CPU's local APIC.
pub fn id() -> u32 {
    read_register(LOCAL_APIC.get() + ID) >> 24
}

/// The timer's entry of the local vector table.
pub fn timer_entry() -> u32 {
    read_register(LOCAL_APIC.get() + TIMER)
}

/// Call 64. A message is never on its way: it has arrived when the hypercall comes back.
pub extern "sysv64" fn read(register: u64) -> u32 {
    match register.wrapping_sub(LOCAL_APIC.get()) {
        COMMAND_LOW => 0,
        COMMAND_HIGH => cpu::this().command_high.load(Relaxed),
        _ => read_register(register),
    }
}

/// Call 63.
pub extern "sysv64" fn write(register: u64, value: u32) {
    let cpu = cpu::this();
    match register.wrapping_sub(LOCAL_APIC.get()) {
        END_OF_INTERRUPT if cpu.handles_event.load(Relaxed) => cpu.handles_event.store(false, Relaxed),
        COMMAND_HIGH => cpu.command_high.store(value, Relaxed),
        COMMAND_LOW => {
            let high = cpu.command_high.load(Relaxed);
            if !send(value, high >> 24) {
                write_register(LOCAL_APIC.get() + COMMAND_HIGH, high);
                write_register(register, value);
            }
        }
        _ => write_register(register, value),
    }
}

/// Does what the command `low` asks for, if it is for the one CPU whose local APIC is `apic`; tells whether it was done.
fn send(low: u32, apic: u32) -> bool {
    /// A destination that is more than one local APIC, or another kind of number (AMD64 manual, vol. 2, 16.5).
    const LOGICAL_OR_SHORTHAND: u32 = 1 << 11 | 0b11 << 18;
    /// What is sent.
    const MODE: u32 = 0b111 << 8;
    const FIXED: u32 = 0;
    const INIT: u32 = 0b101 << 8;
    const START: u32 = 0b110 << 8;
    let Some(receiver) = cpu::of(apic).filter(|_| low & LOGICAL_OR_SHORTHAND == 0) else {
        return false;
    };
    match (low & MODE, receiver.start.load(Relaxed)) {
        (FIXED, OUT_OF_REACH) | (INIT | START, BY_MESSAGES) => false,
        (FIXED, _) => {
            interrupt(receiver, low as u8);
            true
        }
        // It begins where it was told to and was never anywhere else; or it must not begin.
        (INIT, _) => true,
        (START, _) => {
            start::bring_up(receiver);
            true
        }
        _ => false,
    }
}

/// Has `receiver` interrupted, unless it is about to be by the same vector.
fn interrupt(receiver: &Cpu, vector: u8) {
    if receiver.request(vector) {
        hypercall::send(receiver.messages.load(Relaxed));
    }
}

fn read_register(register: u64) -> u32 {
    // SAFETY: the kernel has mapped the registers; reading those in use changes none.
    unsafe { (register as *const u32).read_volatile() }
}

fn write_register(register: u64, value: u32) {
    // SAFETY: mapped, as above; the kernel vouches for the effect.
    unsafe { (register as *mut u32).write_volatile(value) }
}
