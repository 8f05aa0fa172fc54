use super::super::image::sample::{Part, image};
use super::*;
use crate::sites::table::Kind;
use iced_x86::code_asm::{rdi, word_ptr};
use vmi64::Call;

fn judged(platform: Platform, parts: &[Part<'_>], patches: &[Patch], list: &str) -> Vec<String> {
    let allowed = Allowances::parse(RULE.name, LIST, list, &[platform]).unwrap();
    let finding = judge(platform, &image(parts), &|_, _| true, patches, &allowed);
    finding.violations.iter().map(ToString::to_string).collect()
}

const CLI: Part<'static> = ("culprit", &|a| a.cli().unwrap());
const SYSCALL: Part<'static> = ("culprit", &|a| a.syscall().unwrap());
const GOOD: Part<'static> = ("good", &|a| a.nop().unwrap());

#[test]
fn a_privileged_instruction_is_found_under_xen_and_vmi() {
    assert_eq!(
        judged(Platform::Xen, &[GOOD, CLI], &[], ""),
        ["privilege: a privileged instruction, which ring 3 has not: `cli` at 0x10 in culprit"]
    );
    assert_eq!(judged(Platform::Vmi, &[CLI], &[], "").len(), 1);
    assert!(judged(Platform::Native, &[CLI], &[], "").is_empty());
}

#[test]
fn so_is_one_that_ring_3_takes_for_something_else() {
    let found = judged(Platform::Xen, &[("culprit", &|a| a.popfq().unwrap())], &[], "");
    assert!(found[0].contains("without saying so: `popfq`"), "{found:?}");
}

#[test]
fn a_hypercall_is_found_where_there_is_no_hypervisor() {
    assert_eq!(judged(Platform::Native, &[SYSCALL], &[], "").len(), 1);
    assert_eq!(judged(Platform::Vmi, &[SYSCALL], &[], "").len(), 1);
    assert!(judged(Platform::Xen, &[SYSCALL], &[], "").is_empty());
}

#[test]
fn identification_is_for_xen_only_behind_its_prefix() {
    let forced: Part<'_> = ("forced", &|a| {
        a.db(b"\x0f\x0bxen").unwrap();
        a.cpuid().unwrap();
    });
    assert!(judged(Platform::Xen, &[forced], &[], "").is_empty());
    assert_eq!(
        judged(Platform::Xen, &[("bare", &|a| a.cpuid().unwrap())], &[], "").len(),
        1
    );
}

#[test]
fn what_only_follows_an_instruction_that_does_not_exist_is_not_behind_the_prefix() {
    let behind_a_panic: Part<'_> = ("behind", &|a| {
        a.ud2().unwrap();
        a.cpuid().unwrap();
    });
    assert_eq!(judged(Platform::Xen, &[behind_a_panic], &[], "").len(), 1);
    let not_answered: Part<'_> = ("forced", &|a| {
        a.db(b"\x0f\x0bxen").unwrap();
        a.popfq().unwrap();
    });
    assert_eq!(judged(Platform::Xen, &[not_answered], &[], "").len(), 1);
}

#[test]
fn no_list_has_a_reason_for_a_hypercall_without_a_hypervisor() {
    let list = "[[allow]]\nfunctions = [\"cul*\"]\nreason = \"native operations\"";
    let found = judged(Platform::Vmi, &[CLI, SYSCALL], &[], list);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("a hypercall where there is no hypervisor"),
        "{found:?}"
    );
}

#[test]
fn a_hypercall_behind_a_look_at_who_is_beneath_is_listed() {
    let asks: Part<'_> = ("asks", &|a| a.vmmcall().unwrap());
    let list = "[[allow]]\nfunctions = [\"asks\"]\nkinds = [\"vmmcall\"]\nreason = \"test\"";
    for platform in [Platform::Native, Platform::Vmi] {
        assert!(judged(platform, &[asks], &[], list).is_empty());
        assert_eq!(judged(platform, &[asks], &[], "").len(), 1);
    }
}

#[test]
fn a_site_may_be_privileged_and_so_may_what_is_listed() {
    let site = Patch {
        kind: Kind::Site,
        call: Call::DisableInterrupts,
        range: 0..9,
        record: 5,
    };
    assert!(judged(Platform::Vmi, &[CLI], &[site], "").is_empty());
    let list = "[[allow]]\nfunctions = [\"cul*\"]\nkinds = [\"cli\"]\nreason = \"test\"";
    assert!(judged(Platform::Xen, &[CLI], &[], list).is_empty());
    let superfluous = judged(Platform::Xen, &[GOOD], &[], list);
    assert!(
        superfluous[0].contains("does not occur any more, in cul*"),
        "{superfluous:?}"
    );
}

#[test]
fn code_of_no_function_is_found() {
    // `first` is said to be shorter than it is, by a symbol of one byte in front of it.
    let hidden: Part<'_> = ("first", &|a| a.ret().unwrap());
    let mut image = image(&[hidden, CLI]);
    image.functions.retain(|function| function.name == "first");
    let found = gaps(&image);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].what.contains("belongs to no function"), "{found:?}");
}

#[test]
fn what_has_the_bytes_of_padding_is_not_therefore_padding() {
    let hidden: Part<'_> = ("hidden", &|a| a.ltr(word_ptr(rdi)).unwrap());
    let mut image = image(&[GOOD, hidden, GOOD]);
    image.functions.retain(|function| function.name == "good");
    assert_eq!(gaps(&image).len(), 1);
}

#[test]
fn of_several_platforms_only_what_is_reached_counts() {
    let allowed = Allowances::parse(RULE.name, LIST, "", &[Platform::Xen]).unwrap();
    let image = image(&[("reached", &|a| a.cli().unwrap()), ("elsewhere", &|a| a.sti().unwrap())]);
    let finding = judge(
        Platform::Xen,
        &image,
        &|_, instruction| instruction.ip() < 16,
        &[],
        &allowed,
    );
    let found: Vec<_> = finding.violations.iter().map(ToString::to_string).collect();
    assert!(
        found.len() == 1 && found[0].contains("`cli` at 0x0 in reached"),
        "{found:?}"
    );
}
