//! Booting: as on bare metal, with one stop on the way.
//!
//! What boots is the kernel's core [behind](arch::Behind) a stop of this crate's own. When bare metal hands over the machine, with page
//! tables and handlers in place and interrupts masked, this looks for a ROM, lets it take over, and hands on. Every other CPU makes the
//! same stop, only shorter: the takeover is done.

use crate::activate::{activate, join};
use arch::{Behind, Boot, Stops};

/// The core `K`, started under whatever ROM there is.
pub type WithRom<K> = Behind<Takeover, K>;

/// Where a ROM takes over.
#[derive(Debug)]
pub enum Takeover {}

impl Stops for Takeover {
    fn start(boot: &mut Boot) {
        activate(boot);
    }

    fn cpu_online() {
        join();
    }
}

/// Stamps out all entry points of a VMI kernel whose core is the given type (an [`arch::Kernel`]).
#[macro_export]
macro_rules! entry {
    ($kernel:ty) => {
        $crate::subarch_native::entry_with!(
            kernel = $crate::boot::WithRom<$kernel>,
            dispatch = $crate::subarch_native::trap::dispatch::<$kernel, $crate::Vmi>,
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
