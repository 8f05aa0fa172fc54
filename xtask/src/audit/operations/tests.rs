use super::super::image::DETOURS;
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
fn of_two_functions_of_one_name_the_one_that_is_called_is_looked_at() {
    const NAME: &str = "_ZN16subarch_paravirt1f17h0123456789abcdefE";
    let other = NAME.replace('0', "1");
    let image = image(&[
        ("probe.G.f", &|a| a.call(0x20).unwrap()),
        (NAME, &|a| a.cli().unwrap()),
        (&other, &|a| a.sti().unwrap()),
    ]);
    assert_eq!(found(&image)["G.f.body"].lines, ["sti"]);
}

#[test]
fn what_assembly_calls_is_followed_to_the_operation() {
    let image = image(&[
        ("probe.G.f", &|a| a.call(0x10).unwrap()),
        ("subarch_paravirt::f::keeping_for_xen", &|a| {
            a.push(rax).unwrap();
            a.call(0x20).unwrap();
            a.pop(rax).unwrap();
            a.ret_1(8).unwrap();
        }),
        ("subarch_xen::assembly::f", &|a| a.syscall().unwrap()),
    ]);
    let found = found(&image);
    assert_eq!(found["G.f.body"].calls, ["subarch_xen::assembly::f"]);
    assert_eq!(found["G.f.body.body"].lines, ["syscall"]);
}

/// The operation `G.f` of an image in which a jump has taken its place, to what `write` writes.
fn detour(write: &dyn Fn(&mut CodeAssembler)) -> BTreeMap<String, Sequence> {
    let image = image(&[
        ("probe.G.f", &|a| {
            a.jmp(0x10).unwrap();
            a.ret().unwrap();
        }),
        (DETOURS[0], &|a| {
            write(a);
            a.jmp(2).unwrap();
        }),
        ("callee", &|a| a.ret().unwrap()),
    ]);
    found(&image)
}

/// What an operation under Xen may be.
fn masks(a: &mut CodeAssembler) {
    a.mov(byte_ptr(1).gs(), 1).unwrap();
}

#[test]
fn a_detour_is_a_part_of_the_operation() {
    let reviewed = reviewed(&detour(&masks));
    assert_eq!(
        reviewed.operations["G.f"].sequence.lines,
        ["jmp short 2", "1:", "2:", "mov byte ptr gs:[1], 1", "jmp short 1"]
    );
    assert!(compare(&detour(&masks), &reviewed).violations.is_empty());
    let complaint = |write: &dyn Fn(&mut CodeAssembler)| compare(&detour(write), &reviewed).violations[0].to_string();
    assert_eq!(
        complaint(&|a| a.mov(byte_ptr(1).gs(), 0).unwrap()),
        "operations: G.f: it does something else: [mov byte ptr gs:[1], 0], reviewed was [mov byte ptr gs:[1], 1]"
    );
    assert_eq!(
        complaint(&|a| {
            a.nop().unwrap();
            masks(a);
        }),
        "operations: G.f: 14 bytes instead of 13; the first difference is `nop`, reviewed was `mov byte ptr gs:[1], 1`"
    );
    assert_eq!(
        complaint(&|a| {
            masks(a);
            a.call(0x20).unwrap();
        }),
        "operations: G.f: it calls callee, and should call nothing"
    );
    assert!(complaint(&|a| a.jmp(rax).unwrap()).ends_with("`jmp rax` goes through a pointer"));
}

#[test]
fn a_line_of_a_reference_that_was_changed_is_a_violation() {
    let found = detour(&masks);
    let mut references = reviewed(&found);
    let reference = references.operations.get_mut("G.f").unwrap();
    reference.sequence.lines[3] = "mov byte ptr gs:[2], 1".to_owned();
    reference.sequence.essence.clear();
    assert_eq!(compare(&found, &references).violations.len(), 1);
    let reference = references.operations.get_mut("G.f").unwrap();
    reference.sequence.bytes -= 1;
    reference.sequence.essence = found["G.f"].essence.clone();
    assert!(
        compare(&found, &references).violations[0]
            .what
            .ends_with("the first difference is `mov byte ptr gs:[1], 1`, reviewed was `mov byte ptr gs:[2], 1`")
    );
}

#[test]
fn an_image_of_several_platforms_has_references_of_its_own_on_each() {
    let subject = |platforms| Subject {
        platform: Platform::Xen,
        platforms,
        image: image(&[("f", &cli)]),
        file: Vec::new(),
        root: Path::new("/"),
    };
    assert_eq!(name(&subject(&[Platform::Xen])), "xen");
    assert_eq!(name(&subject(Platform::ALL.as_slice())), "paravirt-xen");
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
    let alone = Platform::ALL.map(Platform::name);
    for name in alone.into_iter().chain(["paravirt-native", "paravirt-xen"]) {
        let references = reference::read(root, name).unwrap();
        for operation in &operations {
            assert!(
                references.operations.contains_key(operation),
                "{name} has no reference for {operation}"
            );
        }
    }
}
