//! Booting: as on bare metal, with one stop on the way.
//!
//! What boots is a core of this crate's own, [`WithRom`], wrapped around the kernel's. When bare metal hands it the machine, with
//! page tables and handlers in place and interrupts masked, it looks for a ROM, lets it take over, and hands on. Every other CPU makes
//! the same stop, only shorter: the takeover is done.

use crate::activate::{activate, join};
use arch::user::Mode;
use arch::{Boot, Interrupt, Kernel, TrapFrame};
use core::marker::PhantomData;

/// The core `K`, started under whatever ROM there is.
#[derive(Debug)]
pub struct WithRom<K>(PhantomData<K>);

impl<K: Kernel> Kernel for WithRom<K> {
    fn console_ready(command_line: &'static str) {
        K::console_ready(command_line);
    }

    fn start(mut boot: Boot) -> ! {
        activate(&mut boot);
        K::start(boot)
    }

    fn cpu_online() -> ! {
        join();
        K::cpu_online()
    }

    fn exception(frame: &mut TrapFrame) {
        K::exception(frame);
    }

    fn system_call(frame: &mut TrapFrame) {
        K::system_call(frame);
    }

    fn interrupt(source: Interrupt) {
        K::interrupt(source);
    }

    fn interrupts_done(interrupted: Mode) {
        K::interrupts_done(interrupted);
    }
}

/// Stamps out all entry points of a VMI kernel whose core is the given type (an [`arch::Kernel`]).
#[macro_export]
macro_rules! entry {
    ($kernel:ty) => {
        $crate::subarch_native::entry_with!(
            kernel = $crate::boot::WithRom<$kernel>,
            dispatch = $crate::trap::dispatch::<$kernel>,
            system_call = $crate::subarch_native::trap::system_call::<$kernel>,
            system_call_begun = [$crate::system_call_begun!()] {
                mask_padding = const $crate::vmi64::Call::DisableInterrupts.padding(),
                mask_call = const $crate::vmi64::Call::DisableInterrupts.number(),
                mask_count = const $crate::site::counter($crate::vmi64::Call::DisableInterrupts),
            },
            swap_gs = [$crate::swap_gs!()] {
                swap_gs_padding = const $crate::vmi64::Call::SwapGS.padding(),
                swap_gs_call = const $crate::vmi64::Call::SwapGS.number(),
            },
            interrupt_return = [$crate::interrupt_return!()] {
                iret_padding = const $crate::vmi64::Call::IRET.padding(),
                iret_call = const $crate::vmi64::Call::IRET.number(),
                iret_count = const $crate::site::counter($crate::vmi64::Call::IRET),
            },
            system_return = [$crate::system_return!()] {
                sysret_padding = const $crate::vmi64::Call::SYSRET.padding(),
                sysret_call = const $crate::vmi64::Call::SYSRET.number(),
                sysret_count = const $crate::site::counter($crate::vmi64::Call::SYSRET),
            },
        );
    };
}
