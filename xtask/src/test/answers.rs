//! The proof that one file is everywhere: the kernel's digest on each machine, and how the ROM there has answered which calls.
//!
//! What a vmi kernel promises is that its file stays as it is wherever it is booted, and that the ROM alone makes the difference. So the
//! digest of what each machine was given is compared with the others', and the kernel's log tells how each call was answered. The table in
//! `docs/plug-and-play.md` has the same answers, or the test fails and says what the table should be.

use super::case::{Case, Column, Verdict};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use vmi64::Call;

/// The page with the table, and the lines around it.
const PAGE: &str = "docs/plug-and-play.md";
const BEGIN: &str = "<!-- The answers, as `cargo xtask test --features vmi` finds them. -->\n";
const END: &str = "<!-- End of the answers. -->\n";

/// The kinds of answers, by their numbers in the interface.
const KINDS: [&str; 5] = [NONE, "CALL_REL", "JUMP_REL", "NOP", "INLINE"];

/// What stands there stays.
const NONE: &str = "NONE";

/// What one run has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The SHA-256 of the kernel's file.
    pub kernel: String,
    /// The column of the table that the run belongs to, and the answers; none where no ROM has taken over.
    pub answers: Option<(String, Answers)>,
}

/// The kind of answer to each call, by its name.
pub type Answers = BTreeMap<String, &'static str>;

/// The answers in a kernel's output, if a ROM has taken over.
pub fn read(transcript: &str) -> Option<Answers> {
    let told = transcript.lines().filter_map(|line| {
        let (_, told) = line.split_once(" vmi: answer ")?;
        let (kind, calls) = told.split_once(": ")?;
        let kind = *KINDS.get(kind.parse::<usize>().ok()?)?;
        Some(calls.split_whitespace().map(move |call| (call.to_owned(), kind)))
    });
    let answers: Answers = told.flatten().collect();
    (!answers.is_empty()).then_some(answers)
}

/// What follows from the evidence of all runs of one image; nothing if there is none.
pub fn judge(root: &Path, evidence: &[Evidence]) -> Option<Column> {
    let [first, ..] = evidence else {
        return None;
    };
    println!(
        "\nsha256 {}: the kernel's file on each of {} machines",
        first.kernel,
        evidence.len()
    );
    let cases = vec![
        Case::new("one file everywhere", one_file(evidence)),
        Case::new("answers as documented", documented(root, evidence)),
    ];
    Some(Column::of("all machines", cases, ""))
}

/// Whether every machine was given the same file.
fn one_file(evidence: &[Evidence]) -> Verdict {
    let mut files: Vec<&str> = evidence.iter().map(|run| run.kernel.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    Verdict::when(files.len() == 1, || {
        format!("{} different files: {}", files.len(), files.join(", "))
    })
}

/// Whether the table in the book says what was found.
fn documented(root: &Path, evidence: &[Evidence]) -> Verdict {
    let table = match table(evidence) {
        Ok(table) => table,
        Err(why) => return Verdict::Failed(why),
    };
    let page = fs::read_to_string(root.join(PAGE)).unwrap_or_default();
    let written = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let same = written.is_some_and(|(written, _)| written.trim() == table.trim());
    Verdict::when(same, || format!("the table in {PAGE} should be\n{table}"))
}

/// The answers as a table: a line for each call, a column for each ROM.
///
/// # Errors
/// One ROM has answered differently on two machines that share a column.
fn table(evidence: &[Evidence]) -> Result<String, String> {
    let mut columns: Vec<&(String, Answers)> = Vec::new();
    for one in evidence.iter().filter_map(|run| run.answers.as_ref()) {
        match columns.iter().find(|column| column.0 == one.0) {
            None => columns.push(one),
            Some(same) if same.1 == one.1 => {}
            Some(_) => return Err(format!("{} has answered differently on two machines", one.0)),
        }
    }
    let row = |first: String, cells: Vec<&str>| format!("| {first} | {} |\n", cells.join(" | "));
    let heads = columns.iter().map(|(rom, _)| rom.as_str()).collect();
    let mut table = row("call".into(), heads) + &format!("|---|{}\n", "---|".repeat(columns.len()));
    let asked = |call: &&Call| columns.iter().any(|(_, answers)| answers.contains_key(call.name()));
    for call in Call::ALL.iter().filter(asked) {
        let kinds = columns.iter().map(|(_, answers)| match answers.get(call.name()) {
            Some(&kind) if kind != NONE => kind,
            _ => "",
        });
        table += &row(format!("{} {}", call.number(), call.name()), kinds.collect());
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "[0.1] INFO  subarch_vmi: vmi: ROM 'x' 64.3 at 0xc0000: 3 sites\r\n\
        [0.1] DEBUG subarch_vmi: vmi: answer 0: Cpuid Halt \r\n\
        [0.1] DEBUG subarch_vmi: vmi: answer 1: SetIDT \r\n\
        [0.1] DEBUG subarch_vmi: vmi: answer 3: \r\n";

    fn run(kernel: &str, rom: &str, output: &str) -> Evidence {
        Evidence {
            kernel: kernel.into(),
            answers: read(output).map(|answers| (rom.into(), answers)),
        }
    }

    #[test]
    fn a_log_tells_the_answers() {
        let answers = read(OUTPUT).unwrap();
        assert_eq!(answers["SetIDT"], "CALL_REL");
        assert_eq!((answers["Halt"], answers.len()), ("NONE", 3));
        assert_eq!(read("vmi: no ROM found"), None);
    }

    #[test]
    fn two_files_are_one_too_many() {
        assert_eq!(one_file(&[run("a", "x", ""), run("a", "y", "")]), Verdict::Passed);
        let Verdict::Failed(why) = one_file(&[run("a", "x", ""), run("b", "y", "")]) else {
            panic!("they differ");
        };
        assert_eq!(why, "2 different files: a, b");
    }

    #[test]
    fn a_rom_has_one_column_and_one_mind() {
        let other = OUTPUT.replace("answer 1", "answer 4");
        let evidence = [
            run("a", "x", OUTPUT),
            run("a", "", ""),
            run("a", "x", OUTPUT),
            run("a", "y", &other),
        ];
        let expected =
            "| call | x | y |\n|---|---|---|\n| 0 Cpuid |  |  |\n| 5 SetIDT | CALL_REL | INLINE |\n| 35 Halt |  |  |\n";
        assert_eq!(table(&evidence).unwrap(), expected);
        assert!(table(&[run("a", "x", OUTPUT), run("a", "x", &other)]).is_err());
    }
}
