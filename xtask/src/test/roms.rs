//! ROMs as their authors meet them: how big they are, and whether a new one that `new-rom` makes boots as it is.

use super::case::{self, Case, Column, Verdict};
use super::guest;
use super::plan::{Expected, Plan, Planned};
use crate::build::Built;
use crate::cli::RomChoice;
use crate::failure::explain;
use crate::new_rom;
use crate::rom;
use crate::workshop::Workshop;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// No ROM of the project may have more bytes than this: the area has to hold those of the machine's cards as well.
const MOST: u64 = 16 * 1024;
/// What the new ROM is called.
const NEW: &str = "new-rom";
/// How the emulator signs, and another hypervisor.
const HERE: &str = "*b\"TCGTCGTCGTCG\"";
const ELSEWHERE: &str = "*b\"VMwareVMware\"";
/// What the kernel says of a ROM that finds no hypervisor of its own.
const DECLINED: &str = "it refuses Init: no hypervisor beneath";
/// A test that needs interrupts and a clock.
const ONE_TEST: &str = "test=irq-halt-misses-nothing";

/// Whether each ROM of `vmi-rom` is small enough.
pub fn sizes(workshop: &Workshop) -> Column {
    let names = rom::names(&workshop.paths.root).into_iter();
    let cases = names.map(|name| {
        let size = rom::build(workshop, &name).and_then(|file| Ok(fs::metadata(file)?.len()));
        Case::new(name, judge(size))
    });
    Column::of("16 KiB", cases.collect(), "")
}

fn judge(size: Result<u64>) -> Verdict {
    match size {
        Ok(size) => Verdict::when(size <= MOST, || format!("{size} bytes are more than {MOST}")),
        Err(why) => Verdict::Failed(explain(&why)),
    }
}

/// Whether the kernel `built` of `plan` passes its tests with a ROM made by `new-rom`, somewhere outside of the workspace; and
/// whether that ROM declines when it is told of another hypervisor than there is.
pub fn new(workshop: &Workshop, plan: &Plan, release: bool, built: &Built, module: &Path) -> Column {
    let run = || -> Result<Column> {
        let folder = TempDir::new().context("no folder for a new ROM")?;
        let made = new_rom::make(&workshop.paths.root, NEW, Some(folder.path()))?;
        let planned = plan.with_rom(release, module, RomChoice::Crate(made.choice));
        let planned = planned.context("the kernel takes no ROM")?;
        let mut columns = vec![guest::run(workshop, &planned, built)];
        let source = fs::read_to_string(&made.source)?;
        fs::write(&made.source, source.replace(HERE, ELSEWHERE))?;
        case::merge(&mut columns, guest::run(workshop, &declining(planned), built));
        Ok(columns.remove(0))
    };
    run().unwrap_or_else(|why| Column::failed(NEW, explain(&why)))
}

/// The same machine, on which the ROM is not taken; all else about that is proved elsewhere.
fn declining(planned: Planned) -> Planned {
    Planned {
        arguments: ONE_TEST.to_owned(),
        expected: Expected::Tests {
            said_of_rom: Some(DECLINED.to_owned()),
        },
        ..planned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn a_rom_may_be_16_kib_and_no_more() {
        assert_eq!(judge(Ok(16384)), Verdict::Passed);
        assert!(matches!(judge(Ok(16896)), Verdict::Failed(_)));
        assert_eq!(judge(Err(anyhow!("no"))), Verdict::Failed("no".into()));
    }
}
