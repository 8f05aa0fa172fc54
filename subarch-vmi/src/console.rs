//! The console: VMI leaves devices as they are, so this is bare metal's.

use crate::Vmi;
use arch::ConsoleOps;
use subarch_native::Native;

impl ConsoleOps for Vmi {
    fn write(bytes: &[u8]) {
        Native::write(bytes);
    }

    fn read() -> Option<u8> {
        Native::read()
    }
}
