//! The end of the domain.
//!
//! Dom0 is different: when it says that it is done, Xen stops the processors and waits for somebody to press a button. So there the machine is
//! switched off by the kernel itself, as on bare metal, and this ROM takes over a new beginning only.

use crate::xen::console;
use crate::xen::hypercall::{self, Reason};

/// Call 36. A domain knows one way.
pub extern "sysv64" fn reboot(_how: u64) {
    console::drain();
    hypercall::shutdown(Reason::Reboot);
}

/// Call 37.
pub extern "sysv64" fn shutdown() {
    console::drain();
    hypercall::shutdown(Reason::PowerOff);
}
