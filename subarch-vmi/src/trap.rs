//! Traps: bare metal's stubs, with a site where they return and another where an interrupt is acknowledged.
//!
//! A ROM with an interrupt flag of its own must be asked about both ends of a handler. The beginning is its own business,
//! since it sits between the processor's gates and the kernel's. The end is the `iretq` of the stubs, which becomes a
//! jump into the ROM.

use crate::Vmi;
use arch::{Kernel, TrapFrame};
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
            K::interrupts_done();
        }
        Event::Shootdown => {
            acknowledge();
            shootdown::answer::<Vmi>();
        }
        Event::Stray(source) => K::interrupt(source),
        Event::Spurious => {}
    }
}

/// Tells the local APIC that its interrupt is being handled.
#[inline(always)]
fn acknowledge() {
    // SAFETY: the interrupt came from the local APIC, and interrupts are masked until its handler is done.
    unsafe { Vmi::write_apic(Register::EndOfInterrupt, 0) };
}

/// The site of call 33, *IRET*: the text that the stubs of [`entry!`](crate::entry!) return by.
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
            $crate::site_record!()
        )
    };
}
