//! The memory of a kernel that has run: what its code was when it ended.
//!
//! QEMU can keep a machine's memory in a file. When the kernel has ended the machine, the file holds what was in it, at the offsets of
//! physical addresses. The image is loaded where it was linked, less a constant (`kernel-core/linker.ld`), so no page table is needed
//! to find its code.

use crate::build::Built;
use crate::build::notes::IMAGE_BASE;
use crate::cli::{Image, MachineArgs, RomChoice};
use crate::failure::Failure;
use crate::qemu;
use crate::qemu::exit::Ending;
use crate::qemu::machine::Extras;
use crate::qemu::session::Console;
use crate::setup::Setup;
use crate::workshop::Workshop;
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::time::Duration;

/// As much from the start of memory as any image reaches.
const KEPT: u64 = 8 << 20;
/// The kernel names its tests and ends: everything else it would do changes no code.
const ARGUMENTS: &str = "test=list log=warn";
/// How long that may take.
const LIMIT: Duration = Duration::from_secs(60);

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

/// Boots the kernel `built` on a machine with `rom`, and returns its memory when it has ended.
///
/// # Errors
/// It did not end well, or QEMU cannot keep memory in a file.
pub fn boot(workshop: &Workshop, built: &Built, rom: RomChoice) -> Result<Memory> {
    let folder = tempfile::tempdir().context("no folder for the machine's memory")?;
    let file = folder.path().join("memory");
    let image = Image {
        features: vec!["vmi".to_owned()],
        release: true,
    };
    let machine = MachineArgs {
        rom: Some(rom),
        ..MachineArgs::default()
    };
    let extras = Extras {
        memory_file: Some(file.clone()),
        ..Extras::default()
    };
    let setup = Setup::new(&image, &machine)?;
    let outcome = qemu::prepare(workshop, &setup, built, ARGUMENTS, &extras)?.run(Console::Unattended(LIMIT))?;
    ensure!(
        matches!(outcome.ending, Ending::Exit(0)),
        Failure::NoVerdict.error(format!("{setup}: {}\n{}", outcome.ending, outcome.transcript))
    );
    let mut bytes = Vec::new();
    let file = File::open(&file).context("QEMU kept no memory in the file it was given")?;
    file.take(KEPT)
        .read_to_end(&mut bytes)
        .context("cannot read the machine's memory")?;
    Ok(Memory::of(IMAGE_BASE, bytes))
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
