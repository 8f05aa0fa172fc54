//! How often an operation goes below the kernel: hypercalls under Xen, calls of the ROM under VMI, by kind.
//!
//! They are not counted in the image whose instructions are, or counting would be among them. An image built for it runs the same
//! benchmarks, and what it tells is joined to the figures by the operations' names.

use super::figures::Figure;
use std::collections::BTreeMap;

/// Of each kind that occurs, how often for one operation.
pub type Calls = BTreeMap<String, f64>;

/// What was counted with an image's twin, by the operations' names.
#[derive(Debug, Default)]
pub struct Counted {
    /// How often each goes below the kernel on its own account.
    pub calls: BTreeMap<String, Calls>,
    /// How often the processor leaves the kernel for a hypervisor, by the reasons.
    pub exits: BTreeMap<String, Calls>,
}

impl Counted {
    /// What the lines `calls NAME KIND=COUNT …` in the output of the twin say.
    pub fn of_calls(transcript: &str) -> Self {
        let calls = transcript.lines().filter_map(read);
        Self {
            calls: calls.map(|(name, calls)| (name.to_owned(), calls)).collect(),
            ..Self::default()
        }
    }

    /// Gives each figure what was counted of it.
    pub fn join(&self, figures: &mut [Figure]) {
        for figure in figures {
            let of = |counted: &BTreeMap<String, Calls>| counted.get(&figure.operation).cloned().unwrap_or_default();
            (figure.calls, figure.exits) = (of(&self.calls), of(&self.exits));
        }
    }
}

/// A line's operation and counts.
fn read(line: &str) -> Option<(&str, Calls)> {
    let mut words = line.trim_end().strip_prefix("calls ")?.split(' ');
    let operation = words.next()?;
    let calls = words.map(|word| {
        let (kind, count) = word.split_once('=')?;
        Some((kind.to_owned(), count.parse().ok()?))
    });
    Some((operation, calls.collect::<Option<Calls>>()?))
}

/// What `whole` has more than `part`.
pub fn difference(whole: &Calls, part: &Calls) -> Calls {
    let more = whole.iter().map(|(kind, count)| {
        let rest = count - part.get(kind).unwrap_or(&0.0);
        (kind.clone(), (rest * 100.0).round() / 100.0)
    });
    more.filter(|(_, count)| *count > 0.0).collect()
}

/// The counts in words: `mmu_update 1, iret 2`; nothing for none.
pub fn describe(calls: &Calls) -> String {
    let each: Vec<_> = calls.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    each.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::steady;
    use super::*;

    #[test]
    fn counts_go_to_the_operation_of_their_name() {
        let mut figures = [steady("xen", "time.now", 40.0), steady("xen", "yield", 2000.0)];
        let mut counted = Counted::of_calls(
            "calls yield iret=1.00 mmuext_op.new_user_baseptr=0.50\r\ncalls time.now\ncalls other iret=9.00\ncalls bad iret\n",
        );
        counted
            .exits
            .insert("time.now".into(), Calls::from([("rdtsc".into(), 1.0)]));
        counted.join(&mut figures);
        assert_eq!(
            figures.each_ref().map(|figure| describe(&figure.exits)),
            ["rdtsc 1", ""]
        );
        assert_eq!(describe(&figures[0].calls), "");
        assert_eq!(describe(&figures[1].calls), "iret 1, mmuext_op.new_user_baseptr 0.5");
    }

    #[test]
    fn a_difference_leaves_out_what_is_the_same() {
        let calls = |text: &str| read(text).unwrap().1;
        let more = difference(
            &calls("calls a iret=1.00 send=2.10"),
            &calls("calls b iret=1.00 send=1.00"),
        );
        assert_eq!(describe(&more), "send 1.1");
    }
}
