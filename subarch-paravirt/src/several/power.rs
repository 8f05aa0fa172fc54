//! Ends.

use super::site::choose;
use super::{Bare, Paravirt};
use arch::PowerOps;
use subarch_xen::Xen;

impl PowerOps for Paravirt {
    fn power_off() -> ! {
        choose!(Bare::power_off(), Xen::power_off())
    }

    fn reboot() -> ! {
        choose!(Bare::reboot(), Xen::reboot())
    }

    fn exit(status: u8) -> ! {
        choose!(Bare::exit(status), Xen::exit(status))
    }

    fn crash() -> ! {
        choose!(Bare::crash(), Xen::crash())
    }
}
