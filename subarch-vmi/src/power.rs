//! Ways to end: the hypervisor is asked first, the machine second.

use crate::site::site;
use crate::{Vmi, native};
use arch::{IrqOps, PowerOps};
use subarch_native::{Native, power};
use vmi64::values;

impl PowerOps for Vmi {
    fn power_off() -> ! {
        // SAFETY: the caller wants the machine to end.
        unsafe { site!(Shutdown, "call {function}", function = sym native::shutdown, clobber_abi("sysv64")) }
        // A ROM that knows no way comes back.
        Native::power_off()
    }

    fn reboot() -> ! {
        // SAFETY: the caller wants the machine to end.
        unsafe {
            site!(
                Reboot, "call {function}",
                function = sym native::reboot, in("rdi") values::REBOOT_HARD, clobber_abi("sysv64"),
            );
        }
        Native::reboot()
    }

    fn exit(status: u8) -> ! {
        Self::disable();
        power::tell_bench(status);
        Self::power_off()
    }

    fn crash() -> ! {
        Native::crash()
    }
}
