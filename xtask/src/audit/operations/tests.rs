use super::super::image::sample::{Part, image};
use super::reference::Reference;
use super::*;
use crate::platform::Platform;
use iced_x86::code_asm::*;
use std::collections::BTreeSet;
use std::path::Path;

/// The operation `G.f` of an image whose probe `write` writes.
fn operation(write: &dyn Fn(&mut CodeAssembler)) -> BTreeMap<String, Sequence> {
    let parts: [Part<'_>; 2] = [
        ("probe.G.f", &|a| {
            a.push(rbp).unwrap();
            a.mov(rbp, rsp).unwrap();
            write(a);
            a.pop(rbp).unwrap();
            a.ret().unwrap();
        }),
        ("callee", &|a| (0..64).for_each(|_| a.nop().unwrap())),
    ];
    found(&image(&parts))
}

fn reviewed(sequence: &BTreeMap<String, Sequence>) -> References {
    let reference = |sequence: &Sequence| Reference {
        is_leaf: sequence.calls.is_empty(),
        sequence: sequence.clone(),
    };
    let callees = sequence.values().flat_map(|sequence| sequence.calls.iter().cloned());
    References {
        operations: sequence
            .iter()
            .map(|(name, sequence)| (name.clone(), reference(sequence)))
            .collect(),
        reasons: callees.map(|callee| (callee, "it must".to_owned())).collect(),
    }
}

/// What the rule says of the first, if the second is what was reviewed.
fn said(now: &dyn Fn(&mut CodeAssembler), before: &dyn Fn(&mut CodeAssembler)) -> Finding {
    compare(&operation(now), &reviewed(&operation(before)))
}

fn cli(a: &mut CodeAssembler) {
    a.cli().unwrap();
}

#[test]
fn the_same_is_as_reviewed() {
    let finding = said(&cli, &cli);
    assert!(finding.violations.is_empty());
    assert!(
        finding.summary.ends_with("1 as reviewed, 0 better, 0 as good"),
        "{}",
        finding.summary
    );
}

#[test]
fn less_is_better_and_another_register_as_good() {
    let with = |register: AsmRegister64| {
        move |a: &mut CodeAssembler| {
            a.mov(register, 7_u64).unwrap();
            cli(a);
        }
    };
    assert!(
        said(&cli, &with(rax))
            .summary
            .ends_with("0 as reviewed, 1 better, 0 as good")
    );
    assert!(
        said(&with(rcx), &with(rax))
            .summary
            .ends_with("0 as reviewed, 0 better, 1 as good")
    );
}

#[test]
fn more_is_a_violation_by_figure_and_instruction() {
    let more = said(
        &|a| {
            cli(a);
            a.nop().unwrap();
        },
        &cli,
    );
    assert_eq!(
        more.violations[0].to_string(),
        "operations: G.f: 2 bytes instead of 1; the first difference is `nop`, reviewed was `the end`"
    );
}

#[test]
fn something_else_is_a_violation_even_if_it_costs_nothing() {
    let nothing = said(&|_| (), &cli);
    assert_eq!(
        nothing.violations[0].to_string(),
        "operations: G.f: it does something else: [], reviewed was [cli]"
    );
    assert_eq!(said(&|a| a.sti().unwrap(), &cli).violations.len(), 1);
    let unmasking = said(&|a| a.mov(byte_ptr(0).gs(), 1).unwrap(), &|a| {
        a.mov(byte_ptr(1).gs(), 1).unwrap()
    });
    assert_eq!(unmasking.violations.len(), 1);
}

#[test]
fn a_reference_whose_essence_is_not_that_of_its_text_is_a_violation() {
    let found = operation(&cli);
    let mut references = reviewed(&found);
    let reference = references.operations.get_mut("G.f").unwrap();
    reference.sequence.essence = vec!["sti".to_owned()];
    let finding = compare(&found, &references);
    assert_eq!(
        finding.violations[0].to_string(),
        "operations: G.f: it does something else: [cli], reviewed was [sti]"
    );
}

#[test]
fn a_pointer_or_a_call_of_a_leaf_is_a_violation() {
    let pointer = said(&|a| a.call(rax).unwrap(), &|a| a.call(rax).unwrap());
    assert!(pointer.violations[0].what.contains("`call rax` goes through a pointer"));
    let call = said(&|a| a.call(0x20).unwrap(), &|a| (0..9).for_each(|_| a.nop().unwrap()));
    assert!(
        call.violations[0]
            .what
            .contains("it calls callee, and should call nothing"),
        "{call:?}"
    );
}

#[test]
fn neither_probe_nor_reference_may_be_alone() {
    let found = operation(&cli);
    let without = compare(&found, &References::default());
    assert!(without.violations[0].what.starts_with("G.f has no reference"));
    let gone = compare(&BTreeMap::new(), &reviewed(&found));
    assert_eq!(gone.violations[0].what, "G.f has a reference and no probe");
}

#[test]
fn what_only_computes_is_known_by_its_text_alone() {
    let finding = said(&|a| a.mov(al, 1).unwrap(), &|a| a.xor(eax, eax).unwrap());
    assert!(
        finding.violations[0]
            .what
            .ends_with("the first difference is `mov al, 1`, reviewed was `xor eax, eax`"),
        "{finding:?}"
    );
}

#[test]
fn an_operation_that_is_a_function_is_looked_at_there() {
    let image = image(&[
        ("probe.G.f", &|a| a.call(0x10).unwrap()),
        ("_ZN26_$LT$p..P$u20$as$u20$G$GT$1f17h0123456789abcdefE", &|a| {
            a.cli().unwrap();
            a.ret().unwrap();
        }),
    ]);
    let found = found(&image);
    assert_eq!(found["G.f"].calls, ["<p::P as G>::f"]);
    assert_eq!(found["G.f.body"].lines, ["cli"]);
}

#[test]
fn a_call_and_its_reason_belong_together() {
    let found = operation(&|a| a.call(0x20).unwrap());
    let mut references = reviewed(&found);
    assert!(compare(&found, &references).violations.is_empty());
    references.reasons.insert("callee".to_owned(), String::new());
    references
        .reasons
        .insert("other".to_owned(), "it was called".to_owned());
    let said: Vec<_> = compare(&found, &references)
        .violations
        .into_iter()
        .map(|violation| violation.what)
        .collect();
    assert_eq!(
        said,
        [
            "G.f calls callee, for which there is no reason",
            "there is a reason to call other, and nobody does"
        ]
    );
}

/// The sources in the folder `path` of the project, one after the other.
fn sources(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let files = std::fs::read_dir(root.join(path))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

/// The operations of the border, as its source has them, without the one that is a phrase for the boot report.
fn operations_of_the_border() -> BTreeSet<String> {
    let source = sources("arch/src");
    let (_, groups) = source.split_once("pub trait Subarch: ").unwrap();
    let groups = groups
        .split(['+', '{'])
        .map(str::trim)
        .take_while(|group| *group != "Sized");
    let mut operations = BTreeSet::new();
    for group in groups {
        let (_, body) = source.split_once(&format!("pub trait {group} {{")).unwrap();
        let (body, _) = body.split_once("\n}\n").unwrap();
        let functions = body.lines().filter_map(|line| {
            let line = line.strip_prefix("    ")?;
            let line = line.strip_prefix("unsafe ").unwrap_or(line);
            line.strip_prefix("fn ")?.split('(').next()
        });
        operations.extend(functions.map(|function| format!("{group}.{function}")));
    }
    operations.remove("TimeOps.clock_source");
    operations
}

/// What the kernel has probes for: the first two parts of their names.
fn probed() -> BTreeSet<String> {
    let source = sources("kernel-core/src/probe");
    let names = source
        .split("\"probe.")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    names
        .map(|name| name.split('.').take(2).collect::<Vec<_>>().join("."))
        .collect()
}

#[test]
fn every_operation_of_the_border_has_a_probe_and_a_reference_on_every_platform() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let operations = operations_of_the_border();
    assert!(operations.len() > 40, "{operations:?}");
    assert_eq!(operations, probed());
    for platform in Platform::ALL {
        let references = reference::read(root, platform.name()).unwrap();
        for operation in &operations {
            assert!(
                references.operations.contains_key(operation),
                "{platform} has no reference for {operation}"
            );
        }
    }
}
