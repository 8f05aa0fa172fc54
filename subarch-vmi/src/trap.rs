//! Traps and system calls: bare metal's stubs, with sites where GS changes, where they return, and where an interrupt is acknowledged.
//!
//! A ROM with an interrupt flag of its own must be asked about both ends of a handler. The beginning is its own business,
//! since it sits between the processor's gates and the kernel's; only of a system call it hears nothing, until the kernel clears
//! the flag. The end is the `iretq` or `sysretq` of the stubs, which becomes a jump into the ROM.

use crate::Vmi;
use arch::{IrqOps, Kernel, TrapFrame};
use subarch_native::apic::{LocalApic, Register};
use subarch_native::mmu::shootdown;
use subarch_native::trap::Event;

/// Brings a trap to the core: what the stubs call.
///
/// # Safety
/// Called by the trap stubs only, with interrupts masked.
pub unsafe extern "C" fn dispatch<K: Kernel>(frame: &mut TrapFrame) {
    match Event::of(frame.vector as u8) {
        Event::Exception => K::exception(frame),
        Event::Interrupt(source) => {
            acknowledge();
            K::interrupt(source);
            K::interrupts_done(frame.mode());
        }
        Event::Shootdown => {
            acknowledge();
            shootdown::answer::<Vmi>();
        }
        Event::Stray(source) => K::interrupt(source),
        Event::Spurious => {}
    }
}

/// Brings a system call to the core: what the stub of `syscall` calls.
///
/// The processor's own flag was cleared by the instruction. What a ROM has for a flag is set in user mode and knows nothing of that
/// instruction, so it is cleared here, before anyone asks.
///
/// # Safety
/// Called by that stub only.
pub unsafe extern "C" fn system_call<K: Kernel>(frame: &mut TrapFrame) {
    Vmi::disable();
    K::system_call(frame);
}

/// Tells the local APIC that its interrupt is being handled.
#[inline(always)]
fn acknowledge() {
    // SAFETY: the interrupt came from the local APIC, and interrupts are masked until its handler is done.
    unsafe { Vmi::write_apic(Register::EndOfInterrupt, 0) };
}

/// The site of call 33, *IRET*: the text that the stubs of [`entry!`](crate::entry!) return by, with the operands `iret_padding`
/// and `iret_call`.
#[macro_export]
#[doc(hidden)]
macro_rules! interrupt_return {
    () => {
        concat!(
            "771:
            test byte ptr [rsp + 8], 3
            jz 772f
            swapgs
            772: iretq
            ",
            $crate::site_record!("iret")
        )
    };
}

/// The site of call 34, *SYSRET*: the text that the stub of system calls returns by, with the operands `sysret_padding` and
/// `sysret_call`.
#[macro_export]
#[doc(hidden)]
macro_rules! system_return {
    () => {
        concat!(
            "771:
            mov rsp, [rsp + 24]
            swapgs
            sysretq
            ",
            $crate::site_record!("sysret")
        )
    };
}

/// The site of call 74, *SwapGS*: the text that entries from user mode begin with, with the operands `swap_gs_padding` and
/// `swap_gs_call`.
#[macro_export]
#[doc(hidden)]
macro_rules! swap_gs {
    () => {
        concat!("771: swapgs\n", $crate::site_record!("swap_gs"))
    };
}
