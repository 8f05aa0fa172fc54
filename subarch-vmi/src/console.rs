//! The console: bare metal's, or the hypervisor's, if the ROM has one.
//!
//! VMI left devices as they are. A guest of Xen may have no serial line at all, and then this is how it is heard; so these three calls are
//! younger than the others. Nobody waits for a console on a hot path, so all of it is a branch ([`taken!`]).

use crate::detour::taken;
use crate::site::{notice, site};
use crate::{Vmi, native};
use arch::ConsoleOps;
use subarch_native::Native;
use subarch_native::trap::CONSOLE_VECTOR;
use vmi64::values::NOTHING_TYPED;

impl ConsoleOps for Vmi {
    fn write(bytes: &[u8]) {
        if taken!(ConsoleWrite) {
            write(bytes);
        } else {
            Native::write(bytes);
        }
    }

    fn read() -> Option<u8> {
        if taken!(ConsoleRead) { read() } else { Native::read() }
    }
}

/// Call 78: input shall be announced as bare metal announces that of its serial line.
pub(crate) fn listen() {
    // SAFETY: the vector has a gate.
    unsafe { notice!(ConsoleListen, in("rdi") u64::from(CONSOLE_VECTOR), clobber_abi("sysv64")) }
}

/// Call 76.
#[cold]
fn write(bytes: &[u8]) {
    // SAFETY: the ROM only reads the bytes.
    unsafe {
        site!(
            ConsoleWrite, "call {function}",
            function = sym native::console_write, in("rdi") bytes.as_ptr(), in("rsi") bytes.len(), clobber_abi("sysv64"),
        );
    }
}

/// Call 77.
#[cold]
fn read() -> Option<u8> {
    let typed: u64;
    // SAFETY: taking what was typed is what the caller asked for.
    unsafe {
        site!(
            ConsoleRead, "call {function}",
            function = sym native::console_read, out("rax") typed, clobber_abi("sysv64"),
        );
    }
    (typed != NOTHING_TYPED).then_some(typed as u8)
}
