//! User mode as programs see it: they measure themselves, and print the lines.

use crate::start;
use crate::user::{self, End};

/// The programs of the boot module that measure something.
pub(super) const NAMES: &[&str] = &[
    "bench-null-call",
    "bench-call-yield-alone",
    "bench-yield",
    "bench-fork",
    "bench-fault",
    "bench-cow",
];

/// Runs one of them.
///
/// # Errors
/// Why there is no figure.
pub(super) fn run(name: &str) -> Result<(), &'static str> {
    let file = start::module().ok_or("no boot module was given")?;
    let process =
        user::start(file, &[name.as_bytes()], &[]).map_err(|_| "the boot module is no program that can be started")?;
    match process.wait() {
        End::Exited(0) => Ok(()),
        _ => Err("the program did not exit with status 0"),
    }
}
