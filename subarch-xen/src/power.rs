//! Ways for a domain to end.
//!
//! A domain other than dom0 ends by telling Xen why, and its toolstack draws the conclusion. As dom0 there is nobody above
//! but the machine.

use crate::hypercall::platform::set_io_privilege;
use crate::hypercall::sched::{Reason, shutdown};
use crate::{Xen, boot, console, port};
use arch::PowerOps;

impl PowerOps for Xen {
    fn power_off() -> ! {
        console::drain();
        shutdown(Reason::PowerOff)
    }

    fn reboot() -> ! {
        console::drain();
        shutdown(Reason::Reboot)
    }

    fn exit(status: u8) -> ! {
        if boot::is_initial_domain() {
            tell_qemu(status.min(63));
        }
        Self::power_off()
    }

    fn crash() -> ! {
        console::drain();
        shutdown(Reason::Crash)
    }
}

/// Ends QEMU with `0x40 | status`, if it was given the device for that; otherwise nothing happens.
fn tell_qemu(status: u8) {
    /// `isa-debug-exit`.
    const EXIT: u16 = 0xf4;
    // Without the privilege there is no such device for us either, and the machine is switched off instead.
    if set_io_privilege(1).is_ok() {
        // SAFETY: the privilege was granted; the device ends the machine or does not exist.
        unsafe { port::write(EXIT, 0x40 | status) };
    }
}
