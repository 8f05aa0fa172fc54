//! The kernel's command line: `key=value` words between blanks.
//!
//! Whoever types it cannot be asked back, so everything that is not understood is named, and the kernel starts all the same
//! with what was.

use core::fmt;
use log::LevelFilter;

/// What the kernel does after it reported a crash of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnPanic {
    /// End with status 1 for whoever started the machine.
    #[default]
    Exit,
    /// Stop, so that a debugger finds everything in place.
    Halt,
    /// Start anew.
    Reboot,
}

/// A thing that a test breaks on purpose, to see it reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breakage {
    /// A panic.
    Panic,
    /// A write to the kernel's code.
    WildWrite,
    /// A recursion without end.
    StackOverflow,
    /// A page-table update that no hypervisor can accept.
    Hypercall,
    /// Two locks taken in either order, which a debug build reports.
    LockOrder,
    /// A thread that sleeps with interrupts masked, which a debug build reports.
    SleepMasked,
}

/// The options, each as the command line says or else as it is when nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options<'a> {
    /// `log=`: the least severe messages that are still printed.
    pub log: LevelFilter,
    /// `test=`: the tests to run instead of the monitor, `all` or names between commas; `list` names them.
    pub test: Option<&'a str>,
    /// `bench=`: the operations to measure instead of starting the monitor, in the same way.
    pub bench: Option<&'a str>,
    /// `panic=`: what follows the report of a crash.
    pub panic: OnPanic,
    /// `break=`: what to break on purpose.
    pub breakage: Option<Breakage>,
    /// `platform=`: the platform that it must be, if several are possible.
    pub platform: Option<&'a str>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            log: LevelFilter::Info,
            test: None,
            bench: None,
            panic: OnPanic::default(),
            breakage: None,
            platform: None,
        }
    }
}

/// A word of the command line that was passed over, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem<'a> {
    /// No option has this name.
    UnknownKey(&'a str),
    /// The option exists, but not with this value; the last part lists those that do.
    BadValue(&'a str, &'a str, &'static str),
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(key) => write!(
                out,
                "unknown option `{key}`; there are `log=`, `test=`, `bench=`, `panic=`, `break=` and `platform=`"
            ),
            Self::BadValue(key, value, known) => write!(out, "`{key}={value}`: not one of {known}"),
        }
    }
}

/// Reads `command_line`; `problem` hears of each word that is passed over. Of an option given twice, the last one counts.
pub fn parse<'a>(command_line: &'a str, mut problem: impl FnMut(Problem<'a>)) -> Options<'a> {
    let mut options = Options::default();
    for word in command_line.split_ascii_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        if let Err(found) = set(&mut options, key, value) {
            problem(found);
        }
    }
    options
}

fn set<'a>(options: &mut Options<'a>, key: &'a str, value: &'a str) -> Result<(), Problem<'a>> {
    match key {
        "log" => options.log = choose(key, value, LEVELS, LEVEL_NAMES)?,
        "test" if value.is_empty() => return Err(Problem::BadValue(key, value, "`all`, `list`, or names of tests")),
        "test" => options.test = Some(value),
        "bench" if value.is_empty() => {
            return Err(Problem::BadValue(key, value, "`all`, `list`, or names of operations"));
        }
        "bench" => options.bench = Some(value),
        "panic" => options.panic = choose(key, value, ON_PANIC, ON_PANIC_NAMES)?,
        "break" => options.breakage = Some(choose(key, value, BREAKAGES, BREAKAGE_NAMES)?),
        "platform" if value.is_empty() => return Err(Problem::BadValue(key, value, "`native`, `xen`, `vmi`")),
        "platform" => options.platform = Some(value),
        _ => return Err(Problem::UnknownKey(key)),
    }
    Ok(())
}

fn choose<'a, T: Copy>(
    key: &'a str,
    value: &'a str,
    from: &[(&str, T)],
    names: &'static str,
) -> Result<T, Problem<'a>> {
    let found = from.iter().find(|(name, _)| *name == value);
    found
        .map(|(_, choice)| *choice)
        .ok_or(Problem::BadValue(key, value, names))
}

const LEVEL_NAMES: &str = "`off`, `error`, `warn`, `info`, `debug`, `trace`";
const LEVELS: &[(&str, LevelFilter)] = &[
    ("off", LevelFilter::Off),
    ("error", LevelFilter::Error),
    ("warn", LevelFilter::Warn),
    ("info", LevelFilter::Info),
    ("debug", LevelFilter::Debug),
    ("trace", LevelFilter::Trace),
];

const ON_PANIC_NAMES: &str = "`exit`, `halt`, `reboot`";
const ON_PANIC: &[(&str, OnPanic)] = &[
    ("exit", OnPanic::Exit),
    ("halt", OnPanic::Halt),
    ("reboot", OnPanic::Reboot),
];

const BREAKAGE_NAMES: &str = "`panic`, `wild-write`, `stack-overflow`, `hypercall`, `lock-order`, `sleep-masked`";
const BREAKAGES: &[(&str, Breakage)] = &[
    ("panic", Breakage::Panic),
    ("wild-write", Breakage::WildWrite),
    ("stack-overflow", Breakage::StackOverflow),
    ("hypercall", Breakage::Hypercall),
    ("lock-order", Breakage::LockOrder),
    ("sleep-masked", Breakage::SleepMasked),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(line: &str) -> (Options<'_>, Vec<String>) {
        let mut problems = Vec::new();
        let options = parse(line, |problem| problems.push(problem.to_string()));
        (options, problems)
    }

    #[test]
    fn every_option_is_understood() {
        let (options, problems) = parsed("log=debug  test=a,b bench=c panic=halt break=wild-write platform=xen\n");
        let expected = Options {
            log: LevelFilter::Debug,
            test: Some("a,b"),
            bench: Some("c"),
            panic: OnPanic::Halt,
            breakage: Some(Breakage::WildWrite),
            platform: Some("xen"),
        };
        assert_eq!((options, problems), (expected, vec![]));
    }

    #[test]
    fn what_is_not_understood_is_named_and_changes_nothing() {
        let (options, problems) = parsed("quiet log=loud test= panic bench= platform=");
        assert_eq!(options, Options::default());
        assert_eq!(problems.len(), 6);
        assert!(problems[0].starts_with("unknown option `quiet`"), "{problems:?}");
        assert!(
            problems[1].contains("`log=loud`") && problems[1].contains("`trace`"),
            "{problems:?}"
        );
    }

    #[test]
    fn the_last_word_counts() {
        assert_eq!(parsed("log=warn log=trace").0.log, LevelFilter::Trace);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(line in ".{0,200}") {
            let words = line.split_ascii_whitespace().count();
            prop_assert!(parsed(&line).1.len() <= words);
        }
    }
}
