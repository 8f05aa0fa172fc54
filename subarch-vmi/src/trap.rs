//! Traps: bare metal's stubs, with a site where they return and another where an interrupt is acknowledged.
//!
//! A ROM with an interrupt flag of its own must be asked about both ends of a handler. The beginning is its own business,
//! since it sits between the processor's gates and the kernel's. The end is the `iretq` of the stubs, which becomes a
//! jump into the ROM.

use crate::site::site;
use arch::{Interrupt, Kernel, TrapFrame};
use subarch_native::apic::Register;
use subarch_native::mmu::devices::LOCAL_APIC;
use subarch_native::trap::Event;

/// Brings a trap to the core: what the stubs call.
///
/// # Safety
/// Called by the trap stubs only, with interrupts masked.
pub unsafe extern "C" fn dispatch<K: Kernel>(frame: &mut TrapFrame) {
    match Event::of(frame.vector as u8) {
        Event::Exception => K::exception(frame),
        Event::Interrupt(source) => acknowledged::<K>(source),
        Event::Stray(source) => K::interrupt(source),
        Event::Spurious => {}
    }
}

/// Tells the local APIC that the interrupt is being handled, then handles it.
fn acknowledged<K: Kernel>(source: Interrupt) {
    let register = LOCAL_APIC.as_u64() + Register::EndOfInterrupt as u64;
    // SAFETY: the interrupt came from the local APIC, and interrupts are masked until its handler is done.
    unsafe { site!(APICWrite, "mov [rdi], esi", in("rdi") register, in("esi") 0, clobber_abi("sysv64")) }
    K::interrupt(source);
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
