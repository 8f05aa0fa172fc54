//! The memory of a kernel that runs: what its code is when it is about to end.
//!
//! A debugger stops the machine where the kernel ends, and reads the code as the processor would, by the kernel's own page tables. On
//! a bare machine one could do without: the image is where it was linked, less a constant. Under Xen it is in whatever frames the
//! hypervisor had, and only those tables tell which.

use crate::audit::image::Image;
use crate::build::Built;
use crate::failure::{Failure, explain};
use crate::qemu;
use crate::qemu::debugger::Debugger;
use crate::qemu::exit::Ending;
use crate::qemu::machine::Extras;
use crate::qemu::session::Console;
use crate::qemu::socket::Socket;
use crate::setup::Setup;
use crate::workshop::Workshop;
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::ops::Range;
use std::time::Duration;

/// The function by which the kernel ends.
const END: &str = "kernel_core::power::exit";
/// The kernel names its tests and ends: everything else it would do changes no code.
const ARGUMENTS: &str = "test=list log=warn";
/// How long that may take, under Xen and on a slow computer.
const LIMIT: Duration = Duration::from_secs(180);

/// A stretch of a machine's memory.
#[derive(Debug)]
pub struct Memory {
    base: u64,
    bytes: Vec<u8>,
}

impl Memory {
    /// Memory that shows `bytes` at the address `base` of the image.
    pub fn of(base: u64, bytes: Vec<u8>) -> Self {
        Self { base, bytes }
    }

    /// What is at these addresses of the image; nothing if they are not in it.
    pub fn bytes(&self, range: Range<u64>) -> &[u8] {
        let offset = |address: u64| address.checked_sub(self.base).map(|offset| offset as usize);
        let found = offset(range.start).zip(offset(range.end));
        found
            .and_then(|(start, end)| self.bytes.get(start..end))
            .unwrap_or_default()
    }
}

/// Boots the kernel `built`, which is `image`, as `setup` says, and returns its code as it was when it ended.
///
/// # Errors
/// It did not end well, or its memory could not be read.
pub fn boot(workshop: &Workshop, built: &Built, image: &Image, setup: &Setup) -> Result<Memory> {
    let end = image.functions.iter().find(|function| function.name == END);
    let end = end
        .with_context(|| format!("the image has no function {END}"))?
        .range
        .start;
    let code = code(image)?;
    let base = code.start;
    let debugger = Socket::listen(move |machine| look(Debugger::new(machine), end, code))?;
    let extras = Extras {
        debugger: Some(debugger.address()),
        ..Extras::default()
    };
    let outcome = qemu::prepare(workshop, setup, built, ARGUMENTS, &extras)?.run(Console::Unattended(LIMIT))?;
    let looked = debugger.outcome().context("nobody looked into the machine")?;
    ensure!(
        matches!(outcome.ending, Ending::Exit(0)),
        Failure::NoVerdict.error(format!(
            "{setup}: {}{}\n{}",
            outcome.ending,
            looked
                .err()
                .map(|why| format!("; {}", explain(&why)))
                .unwrap_or_default(),
            outcome.transcript
        ))
    );
    Ok(Memory::of(base, looked?))
}

/// From the first to the last address of code.
fn code(image: &Image) -> Result<Range<u64>> {
    let start = image.code().map(|section| section.range.start).min();
    let end = image.code().map(|section| section.range.end).max();
    let (start, end) = start.zip(end).context("the image has no code")?;
    Ok(start..end)
}

/// What is at `code` when the machine comes to `end`.
fn look(mut machine: Debugger<impl Read + Write>, end: u64, code: Range<u64>) -> Result<Vec<u8>> {
    machine.run_to(end)?;
    let bytes = machine.read_all(code)?;
    machine.let_go()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_by_the_images_addresses() {
        let memory = Memory::of(0x1000, vec![1, 2, 3]);
        assert_eq!(memory.bytes(0x1001..0x1003), [2, 3]);
        assert!(memory.bytes(0x1001..0x1004).is_empty());
        assert!(memory.bytes(0xfff..0x1001).is_empty());
    }
}
