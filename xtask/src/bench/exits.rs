//! How often a guest with hardware assistance leaves for its hypervisor, and why.
//!
//! Such a guest cannot count that itself: of most exits it knows nothing. The processor does, and it is QEMU's. With the log item `in_asm`
//! it writes a line for each exit, with the code that the hypervisor finds in its control block, two words of information, and the address
//! of the guest's instruction. Nothing of the hypervisor's code has to be known, and nothing is slowed down much. (The item is for
//! translated code; that is kept out of the log by an address filter, which these lines are not subject to.)
//!
//! Where the batches are in the log is said by the guest's marks (`Mark` in `arch/src/calls.rs`): CPUID at addresses that the image's
//! symbols name. The names of the operations are on the console, in the same order.

use super::calls::Calls;
use crate::failure::Failure;
use crate::places::symbols;
use anyhow::{Context, Result, ensure};
use object::ObjectSymbol;
use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::path::Path;

/// The code of an exit because of CPUID (AMD's manual, volume 2, appendix C).
const CPUID: u32 = 0x72;

/// How far a measurement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Begin,
    End,
    Batch,
    Operation,
}

/// The symbols of the marks.
const MARKS: [(&str, Mark); 4] = [
    ("anyring_mark_begin", Mark::Begin),
    ("anyring_mark_end", Mark::End),
    ("anyring_mark_batch", Mark::Batch),
    ("anyring_mark_operation", Mark::Operation),
];

/// Where the marks are in an image.
#[derive(Debug)]
pub struct Marks(BTreeMap<u64, Mark>);

impl Marks {
    /// Those of the image `file`, which was built to count.
    ///
    /// # Errors
    /// It cannot be read, or has none.
    pub fn of(file: &Path) -> Result<Self> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let symbols = symbols(&object::File::parse(&*bytes)?, ObjectSymbol::address);
        let places = MARKS.map(|(symbol, mark)| Some((*symbols.get(symbol)?, mark)));
        let places: Option<BTreeMap<_, _>> = places.into_iter().collect();
        let marks = places.with_context(|| format!("{} has no marks", file.display()))?;
        Ok(Self(marks))
    }
}

/// The exits of one operation each, by its name, with what QEMU wrote to `log` and the guest to its console.
///
/// # Errors
/// The log cannot be read, or does not tell of as many operations as the console.
pub fn read(marks: &Marks, log: impl BufRead, transcript: &str) -> Result<BTreeMap<String, Calls>> {
    let mut found = Found::default();
    for line in log.lines() {
        let line = line.context("QEMU's log cannot be read")?;
        if let Some(exit) = Exit::read(&line) {
            found.add(marks, &exit);
        }
    }
    let names: Vec<_> = transcript.lines().filter_map(marked).collect();
    ensure!(
        names.len() == found.operations.len() && !names.is_empty(),
        Failure::NoVerdict.error(format!(
            "exits: the console names {} operations, and QEMU's log has the marks of {}",
            names.len(),
            found.operations.len()
        ))
    );
    let each = names.into_iter().zip(&found.operations);
    Ok(each
        .map(|((name, count), batches)| (name.to_owned(), each_of(count, batches)))
        .collect())
}

/// The operation's name and how many a batch has, in a line `marked NAME OPERATIONS`.
fn marked(line: &str) -> Option<(&str, u64)> {
    let (name, count) = line.trim_end().strip_prefix("marked ")?.split_once(' ')?;
    Some((name, count.parse().ok().filter(|count| *count > 0)?))
}

/// An exit.
struct Exit {
    code: u32,
    /// The instruction.
    address: u64,
}

impl Exit {
    /// The one in a line `vmexit(CODE, INFORMATION, INFORMATION, ADDRESS)!`.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("vmexit(")?.strip_suffix(")!")?.split(", ");
        let code = u32::from_str_radix(words.next()?, 16).ok()?;
        let address = u64::from_str_radix(words.nth(2)?, 16).ok()?;
        Some(Self { code, address })
    }

    /// Why it was, as AMD calls it without the prefix `VMEXIT_`.
    fn kind(&self) -> String {
        let name = match self.code {
            0x00..=0x0f => "cr_read",
            0x10..=0x1f => "cr_write",
            0x20..=0x3f => "dr",
            0x40..=0x5f => "exception",
            0x60 => "intr",
            0x61 => "nmi",
            0x64 => "vintr",
            0x6e => "rdtsc",
            CPUID => "cpuid",
            0x77 => "pause",
            0x78 => "hlt",
            0x79 => "invlpg",
            0x7b => "ioio",
            0x7c => "msr",
            0x81 => "vmmcall",
            0x89 => "wbinvd",
            0x400 => "npf",
            other => return format!("{other:#x}"),
        };
        name.to_owned()
    }
}

/// How often each kind occurred.
type Counts = BTreeMap<String, u64>;

/// What was found so far.
#[derive(Default)]
struct Found {
    /// Whether exits count.
    counting: bool,
    batch: Counts,
    batches: Vec<Counts>,
    operations: Vec<Vec<Counts>>,
}

impl Found {
    fn add(&mut self, marks: &Marks, exit: &Exit) {
        let mark = marks.0.get(&exit.address).filter(|_| exit.code == CPUID);
        match mark {
            Some(Mark::Begin) => self.counting = true,
            Some(Mark::End) => self.counting = false,
            Some(Mark::Batch) => self.batches.push(std::mem::take(&mut self.batch)),
            Some(Mark::Operation) => self.operations.push(std::mem::take(&mut self.batches)),
            None if self.counting => *self.batch.entry(exit.kind()).or_default() += 1,
            None => {}
        }
    }
}

/// Of each kind how often it occurred for one operation, of which a batch has `count`: in the batch in the middle, less what is in the
/// first, which is empty.
fn each_of(count: u64, batches: &[Counts]) -> Calls {
    let Some((empty, batches)) = batches.split_first() else {
        return Calls::new();
    };
    let kinds = batches.iter().flat_map(Counts::keys);
    let of = |kind: &String| {
        let mut counts: Vec<u64> = batches.iter().map(|batch| times(batch, kind)).collect();
        counts.sort_unstable();
        let own = counts[counts.len() / 2].saturating_sub(times(empty, kind));
        (own as f64 * 100.0 / count as f64).round() / 100.0
    };
    let each = kinds.map(|kind| (kind.clone(), of(kind)));
    each.filter(|(_, count)| *count > 0.0).collect()
}

fn times(batch: &Counts, kind: &str) -> u64 {
    batch.get(kind).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::calls::describe;
    use super::*;

    const BEGIN: u64 = 0x1000;
    const END: u64 = 0x2000;
    const BATCH: u64 = 0x3000;
    const OPERATION: u64 = 0x4000;

    fn marks() -> Marks {
        let places = [BEGIN, END, BATCH, OPERATION].into_iter();
        Marks(places.zip(MARKS.map(|(_, mark)| mark)).collect())
    }

    fn line(code: u32, address: u64) -> String {
        format!("vmrun! 000000002ed31000\nvmexit({code:08x}, 0000000003ff0010, 0000000000000000, {address:016x})!\n")
    }

    /// A batch within which the processor leaves for these reasons, and for one more before and behind it.
    fn batch(codes: &[u32]) -> String {
        let within = codes.iter().map(|code| line(*code, 0x99));
        let all = [line(0x6e, 0x99), line(CPUID, BEGIN)].into_iter().chain(within);
        all.chain([line(CPUID, END), line(0x6e, 0x99), line(CPUID, BATCH)])
            .collect()
    }

    fn exits(log: &str, transcript: &str) -> Result<BTreeMap<String, Calls>> {
        read(&marks(), log.as_bytes(), transcript)
    }

    #[test]
    fn an_operation_has_the_exits_of_the_middle_batch_less_those_of_the_empty_one() {
        let full = batch(&[0x6e, 0x81, 0x81, 0x400, 0x6e]);
        let log = [
            batch(&[0x6e, 0x6e]),
            full.clone(),
            batch(&[0x6e, 0x81, 0x81, 0x400, 0x60, 0x60, 0x6e]),
            full,
            line(CPUID, OPERATION),
            batch(&[]),
            batch(&[CPUID, 0x999]),
            line(CPUID, OPERATION),
        ];
        let found = exits(&log.concat(), "(XEN) x\r\nmarked a 2\r\ncalls a\nmarked b.c-d 1\n").unwrap();
        assert_eq!(describe(&found["a"]), "npf 0.5, vmmcall 1");
        assert_eq!(describe(&found["b.c-d"]), "0x999 1, cpuid 1");
    }

    #[test]
    fn parts_of_a_batch_are_counted_together() {
        let part = |code| [line(CPUID, BEGIN), line(code, 1), line(CPUID, END), line(0x7b, 1)].concat();
        let log = [batch(&[]), part(0x7c), batch(&[0x7c]), line(CPUID, OPERATION)];
        let found = exits(&log.concat(), "marked a 2\n").unwrap();
        assert_eq!(describe(&found["a"]), "msr 1");
    }

    #[test]
    fn a_log_that_does_not_fit_the_console_is_refused() {
        let one = [batch(&[]), line(CPUID, OPERATION)].concat();
        assert!(exits(&one, "marked a 1\n").is_ok());
        let error = exits(&one, "marked a 1\nmarked b 1\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "exits: the console names 2 operations, and QEMU's log has the marks of 1"
        );
        assert!(exits("", "").is_err());
    }

    #[test]
    fn other_lines_are_no_exits() {
        assert!(Exit::read("vmrun! 000000002ed31000").is_none());
        assert!(Exit::read("vmexit(0000006e, 0, 0)!").is_none());
        let exit = Exit::read("vmexit(0000007c, 0000000000000001, 0000000000000000, ffffffff80000000)!").unwrap();
        assert_eq!((exit.kind().as_str(), exit.address), ("msr", 0xffff_ffff_8000_0000));
    }
}
