//! The console.

use super::site::choose;
use super::{Bare, Paravirt};
use arch::ConsoleOps;
use subarch_xen::Xen;

impl ConsoleOps for Paravirt {
    fn write(bytes: &[u8]) {
        choose!(Bare::write(bytes), Xen::write(bytes))
    }

    fn read() -> Option<u8> {
        choose!(Bare::read(), Xen::read())
    }
}
