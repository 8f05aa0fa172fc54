//! Ways for a domain to end.
//!
//! A domain other than dom0 ends by telling Xen why, and its toolstack draws the conclusion. Dom0 is different: when it
//! says "power off", Xen halts the processors and waits for somebody to press a button. To switch the machine off, dom0 must
//! have Xen write the right number to the power-management registers, and find that number itself (`acpi.rs`).

use crate::acpi::{self, Window};
use crate::hypercall::platform::{enter_acpi_sleep, set_io_privilege};
use crate::hypercall::sched::{Reason, shutdown};
use crate::{Xen, boot, console, port};
use arch::{ConsoleOps, PowerOps};
use core::fmt::{self, Display, Write};

/// Each way first lets the console daemon take the last words, which would otherwise be lost together with the domain.
impl PowerOps for Xen {
    fn power_off() -> ! {
        if boot::is_initial_domain() {
            switch_off();
        }
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

/// Switches the machine off; says why it returns, if it does.
fn switch_off() {
    /// Bit 13 of a PM1 control register starts the sleep, bits 10 to 12 say which (ACPI specification, section 4.8.3.2.1).
    const ENABLE: u16 = 1 << 13;
    const TYPE_SHIFT: u32 = 10;
    const SOFT_OFF: u32 = 5;
    // SAFETY: this is the only window, and nothing follows that could make another.
    let number = match acpi::soft_off(&mut unsafe { Window::new() }) {
        Ok(number) => number,
        Err(unknown) => return explain(&unknown),
    };
    let value = |sleep_type: u8| ENABLE | u16::from(sleep_type) << TYPE_SHIFT;
    if let Err(refused) = enter_acpi_sleep(SOFT_OFF, value(number.a), value(number.b)) {
        explain(&refused);
    }
}

/// Says why the machine stays on.
fn explain(reason: &impl Display) {
    // Straight to the console: the kernel is about to end, whoever may be holding its logger. Nor can this write fail.
    let _ = writeln!(Console, "the machine cannot be switched off: {reason}; it is halted");
}

/// The console as a place to format to.
struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Xen::write(text.as_bytes());
        Ok(())
    }
}
