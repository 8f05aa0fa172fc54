//! Reading what the kernel's test runner prints.
//!
//! One line for each test, `test NAME ... RESULT`, and a closing line with the counts. The name is printed before the
//! test runs, so that a hang has a name; what the test itself prints then lands between name and result, and the result
//! may come on a later line.

use super::case::{Case, Verdict};

/// The tests in a run's output, in order. One that never came to a result has failed.
pub fn tests(transcript: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut running: Option<&str> = None;
    for line in transcript.lines().map(str::trim_end) {
        let begins = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ..."));
        let (result, name) = match begins {
            Some((name, rest)) => {
                cases.extend(running.take().map(without_result));
                (rest.trim_start(), Some(name))
            }
            None => (line, running),
        };
        running = name;
        if let (Some(name), Some(verdict)) = (name, verdict(result)) {
            cases.push(Case::new(name, verdict));
            running = None;
        }
    }
    cases.extend(running.map(without_result));
    cases
}

/// The number of tests in the kernel's closing line, `tests: 3 passed, 0 failed, 1 skipped`.
pub fn total(transcript: &str) -> Option<u64> {
    let counts = transcript
        .lines()
        .rev()
        .find_map(|line| line.trim_end().strip_prefix("tests: "))?;
    counts
        .split(", ")
        .map(|count| count.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// A test that began and never said how it ended.
fn without_result(name: &str) -> Case {
    Case::new(name, Verdict::Failed("it came to no result".into()))
}

/// The verdict that `text` is: `ok`, `FAILED: WHY` or `skipped: WHY`.
fn verdict(text: &str) -> Option<Verdict> {
    match text.split_once(": ").unwrap_or((text, "")) {
        ("ok", "") => Some(Verdict::Passed),
        ("FAILED", why) => Some(Verdict::Failed(why.to_owned())),
        ("skipped", why) => Some(Verdict::Skipped(why.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_line() {
        let output = "\
test heap ... ok\r
test irq: masked ... FAILED: left: 1, right: 2\r
test x ... skipped: no FPU\r
";
        let expected = [
            Case::new("heap", Verdict::Passed),
            Case::new("irq: masked", Verdict::Failed("left: 1, right: 2".into())),
            Case::new("x", Verdict::Skipped("no FPU".into())),
        ];
        assert_eq!(tests(output), expected);
    }

    #[test]
    fn a_test_may_print_before_its_result() {
        let output = "test console ... .......\n[   0.1] INFO  x: ok then\n....\nok\ntest next ... ok\nok\n";
        assert_eq!(
            tests(output),
            [
                Case::new("console", Verdict::Passed),
                Case::new("next", Verdict::Passed)
            ]
        );
    }

    #[test]
    fn a_test_without_a_result_has_failed() {
        let no_result = Verdict::Failed("it came to no result".into());
        let output = "test a ... \ntest b ... ok\ntest c ... PANIC: x\n";
        let expected = [
            Case::new("a", no_result.clone()),
            Case::new("b", Verdict::Passed),
            Case::new("c", no_result),
        ];
        assert_eq!(tests(output), expected);
    }

    #[test]
    fn other_lines_are_no_tests() {
        assert_eq!(tests("test heap\ntesting ... ok\ntest: heap\nok\nFAILED: x\n"), []);
    }

    #[test]
    fn the_closing_line_counts() {
        assert_eq!(
            total("tests: 3 passed, 0 failed, 1 skipped\r\nanyring: exit status 0\r\n"),
            Some(4)
        );
        assert_eq!(total("tests: many\n"), None);
        assert_eq!(total(""), None);
    }
}
