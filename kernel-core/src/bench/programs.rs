//! User mode as programs see it: they measure themselves, and print the lines.
//!
//! What they cannot see is how often the kernel goes below itself on their behalf. So they tell it where a batch begins and ends, by a
//! system call that only images have which count ([`user_programs::counting`]); in others it is refused as unknown, outside of what is
//! measured.

use super::meter::Calls;
use crate::platform::Platform;
use crate::start;
use crate::sync::IrqLock;
use crate::user::{self, AddressSpace, End};
use alloc::vec::Vec;
use arch::{Mark, Subarch};
use core::mem;
use kernel_logic::user::errno::Errno;
use user_programs::counting::{BEGIN, END, REPORT};

/// The programs of the boot module that measure something.
pub(super) const NAMES: &[&str] = &[
    "bench-null-call",
    "bench-call-yield-alone",
    "bench-yield",
    "bench-fork",
    "bench-fault",
    "bench-cow",
    "bench-owner",
    "bench-memory",
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

/// What was counted for the program that measures.
static MARKS: IrqLock<Marks> = IrqLock::new(Marks {
    begin: None,
    batches: Vec::new(),
});

struct Marks {
    begin: Option<Calls>,
    /// The first of them is of an empty batch.
    batches: Vec<Calls>,
}

/// The name of an operation is not longer.
const LONGEST_NAME: usize = 32;

/// Answers the system call of a program that counts: a batch begins, ends, or all of them were for as many operations each as the last
/// argument says, of the name that the other two lead to.
///
/// # Errors
/// `EINVAL` for another request, or a name that is none; `EFAULT` if it cannot be read.
pub fn mark(space: &AddressSpace, [request, name, length, operations]: [u64; 4]) -> Result<u64, Errno> {
    match request as usize {
        BEGIN => MARKS.lock().begin = Some(Calls::begin()),
        END => MARKS.lock().end(),
        REPORT => {
            let mut buffer = [0; LONGEST_NAME];
            let bytes = buffer.get_mut(..length as usize).ok_or(Errno::EINVAL)?;
            space.read(name, bytes)?;
            let name = core::str::from_utf8(bytes).map_err(|_| Errno::EINVAL)?;
            let batches = mem::take(&mut MARKS.lock().batches);
            report(name, &batches, operations.max(1));
        }
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}

impl Marks {
    fn end(&mut self) {
        if let Some(begin) = self.begin.take() {
            self.batches.push(Calls::end(&begin));
            Platform::mark(Mark::Batch);
        }
    }
}

/// Prints what batches had, less what the empty one had, which is the first.
fn report(name: &str, batches: &[Calls], operations: u64) {
    if let Some((empty, batches)) = batches.split_first() {
        Calls::middle(batches).without(empty).print(name, operations);
    }
}
