//! What became dearer, and what cheaper.
//!
//! Instructions are compared where they were counted under the same conditions, since another Xen costs otherwise; how often an operation goes
//! below the kernel is the kernel's own doing, and is compared always. How often the processor leaves it is not: which instructions it leaves for,
//! the hypervisor decides.

use super::calls::Calls;
use super::figures::Figure;
use super::results::Results;

/// By how much a figure may differ and still be the same: compilers differ in small things.
const TOLERANCE: f64 = 1.02;

/// By how much a count may differ and still be the same. A long operation is interrupted by the scheduler's alarm every few times, and by
/// one more or less when something else has moved.
const ALARMS: f64 = 0.15;

/// What a comparison found.
#[derive(Debug, Default, PartialEq)]
pub struct Verdict {
    /// What costs over 2 % more than before, goes or falls below the kernel more often, or is measured no more.
    pub losses: Vec<String>,
    /// What costs over 2 % less.
    pub gains: Vec<String>,
    /// What was not compared, and why.
    pub remarks: Vec<String>,
}

/// Compares what was measured now with what it was before. Of what was not measured then, such as the parent in older files, nothing is said.
pub fn compare(before: &Results, now: &Results) -> Verdict {
    let mut verdict = Verdict::default();
    for platform in now.platforms() {
        let incomparable = incomparable(before, now, platform);
        let instructions = match incomparable {
            None => Instructions::Compared,
            Some(remark) => {
                verdict.remarks.push(remark);
                Instructions::LeftOut
            }
        };
        let old = before.figures.iter().filter(|figure| figure.platform == platform);
        old.for_each(|old| verdict.judge(old, now.figure(platform, &old.operation), instructions));
    }
    verdict
}

/// Whether instructions are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instructions {
    Compared,
    LeftOut,
}

/// Why a platform's instructions cannot be compared, if so.
fn incomparable(before: &Results, now: &Results, platform: &str) -> Option<String> {
    let (old, new) = (before.conditions_of(platform)?, now.conditions_of(platform)?);
    (old != new)
        .then(|| format!("{platform}: instructions not compared: the committed figures are of {old}, these of {new}"))
}

impl Verdict {
    fn judge(&mut self, old: &Figure, new: Option<&Figure>, instructions: Instructions) {
        let name = format!("{} {}", old.platform, old.operation);
        let Some(new) = new else {
            self.losses.push(format!("{name}: measured before, and not now"));
            return;
        };
        if instructions == Instructions::Compared {
            self.judge_instructions(&name, old.median, new.median);
            self.judge_calls(&name, "exits: ", &old.exits, &new.exits);
        }
        self.judge_calls(&name, "", &old.calls, &new.calls);
    }

    fn judge_instructions(&mut self, name: &str, old: f64, new: f64) {
        if new > old * TOLERANCE {
            self.losses.push(format!("{name}: {new} instructions instead of {old}"));
        } else if old > new * TOLERANCE {
            self.gains.push(format!("{name}: {new} instructions instead of {old}"));
        }
    }

    fn judge_calls(&mut self, name: &str, what: &str, old: &Calls, new: &Calls) {
        for (kind, count) in new {
            let before = old.get(kind).unwrap_or(&0.0);
            if count - before > ALARMS {
                self.losses
                    .push(format!("{name}: {what}{count} {kind} instead of {before}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conditions::Conditions;
    use super::super::figures::tests::{calling, leaving, steady};
    use super::super::subject::{Rom, Subject};
    use super::*;
    use crate::platform::Platform;

    fn results(figures: &[Figure]) -> Results {
        Results {
            figures: figures.to_vec(),
            ..Results::default()
        }
    }

    fn clock(value: f64) -> Results {
        results(&[steady("native", "time.now", value)])
    }

    #[test]
    fn two_in_a_hundred_are_tolerated_either_way() {
        assert_eq!(compare(&clock(100.0), &clock(102.0)), Verdict::default());
        assert_eq!(compare(&clock(102.0), &clock(100.0)), Verdict::default());
        let found = compare(&clock(100.0), &clock(102.1));
        assert_eq!(found.losses, ["native time.now: 102.1 instructions instead of 100"]);
        let found = compare(&clock(102.1), &clock(100.0));
        assert_eq!(found.gains, ["native time.now: 100 instructions instead of 102.1"]);
        assert_eq!(found.losses, Vec::<String>::new());
    }

    #[test]
    fn what_is_measured_no_more_is_a_loss() {
        let before = results(&[steady("native", "time.now", 9.0), steady("xen", "time.now", 40.0)]);
        let now = results(&[steady("native", "mutex", 10.0)]);
        let found = compare(&before, &now);
        assert_eq!(found.losses, ["native time.now: measured before, and not now"]);
    }

    #[test]
    fn the_parent_is_compared_where_it_was_measured_before() {
        let single = [steady("native", "yield", 200.0)];
        let both = |parent| results(&[single[0].clone(), steady("paravirt-native", "yield", parent)]);
        let found = compare(&both(200.0), &both(205.0));
        assert_eq!(found.losses, ["paravirt-native yield: 205 instructions instead of 200"]);
        assert_eq!(compare(&results(&single), &both(205.0)), Verdict::default());
        assert_eq!(compare(&both(200.0), &results(&single)), Verdict::default());
    }

    #[test]
    fn another_xen_is_said_and_its_instructions_are_not_compared() {
        let under = |version: &str, value, count| Results {
            conditions: vec![Conditions::of(
                Subject::Single(Platform::Xen),
                &format!("Xen version {version} (Debian) ("),
            )],
            ..results(&[calling("xen", "yield", value, &[("iret", count)])])
        };
        let found = compare(&under("4.17.7", 856.0, 1.0), &under("4.17.5", 1200.0, 1.0));
        assert_eq!(
            found.remarks,
            [
                "xen: instructions not compared: the committed figures are of Xen 4.17.7 (Debian) on QEMU's processor qemu64, \
              these of Xen 4.17.5 (Debian) on QEMU's processor qemu64"
            ]
        );
        assert_eq!(found.losses, Vec::<String>::new());
        let found = compare(&under("4.17.7", 856.0, 1.0), &under("4.17.5", 856.0, 2.0));
        assert_eq!(found.losses, ["xen yield: 2 iret instead of 1"]);
        let found = compare(&under("4.17.7", 856.0, 1.0), &under("4.17.7", 900.0, 1.0));
        assert_eq!((found.losses.len(), found.remarks.len()), (1, 0));
    }

    #[test]
    fn one_more_exit_is_a_loss_under_the_same_xen() {
        let under = |version: &str, count| Results {
            conditions: vec![Conditions::of(
                Subject::Guest(Rom::Xen),
                &format!("Xen version {version} (Debian) ("),
            )],
            ..results(&[leaving("vmi-pvh-xen", "time.now", 6700.0, &[("rdtsc", count)])])
        };
        let found = compare(&under("4.17.5", 1.0), &under("4.17.5", 2.0));
        assert_eq!(found.losses, ["vmi-pvh-xen time.now: exits: 2 rdtsc instead of 1"]);
        let found = compare(&under("4.17.5", 1.0), &under("4.17.7", 2.0));
        assert_eq!((found.losses.len(), found.remarks.len()), (0, 1));
    }

    #[test]
    fn a_call_of_a_new_kind_is_one_more_but_an_alarm_now_and_then_is_none() {
        let before = results(&[calling("xen", "yield", 1.0, &[("iret", 1.0)])]);
        let now = results(&[calling("xen", "yield", 1.0, &[("console_io", 0.5)])]);
        assert_eq!(
            compare(&before, &now).losses,
            ["xen yield: 0.5 console_io instead of 0"]
        );
    }
}
