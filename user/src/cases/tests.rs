use super::*;

extern crate std;

#[test]
fn no_case_is_listed_twice() {
    let mut seen = std::vec::Vec::new();
    for case in all() {
        assert!(!seen.contains(&case.arguments), "{case}");
        seen.push(case.arguments);
    }
}

#[test]
fn every_case_names_a_program_and_an_end() {
    for case in all() {
        assert!(!case.arguments.is_empty() && !case.ends.is_empty());
        assert!(
            case.arguments
                .iter()
                .all(|argument| !argument.is_empty() && !argument.contains(' ')),
            "{case}"
        );
    }
}

#[test]
fn hostile_programs_do_not_simply_succeed() {
    let only_success = |case: &&Case| case.ends == [End::Exit(0)];
    assert!(!HOSTILE.iter().any(|case| only_success(&case)));
    assert!(ORDINARY.iter().all(|case| only_success(&case)));
}

#[test]
fn a_case_reads_as_it_is_typed() {
    let case = Case::segmentation(&["privileged", "cli"]);
    assert_eq!(std::format!("{case}"), "privileged cli");
    assert!(case.allows(End::Killed(Signal::Segmentation)) && !case.allows(End::Exit(0)));
    assert_eq!(std::format!("{}", case.ends[0]), "killed by SIGSEGV");
}

#[test]
fn signals_have_linuxs_numbers() {
    assert_eq!(Signal::from_number(11), Some(Signal::Segmentation));
    assert_eq!(Signal::ALL.map(|signal| signal as u8), [4, 5, 7, 8, 9, 11]);
    assert_eq!(Signal::from_number(15), None);
}
