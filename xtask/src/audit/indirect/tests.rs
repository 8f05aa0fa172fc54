use super::super::image::sample::{Part, image};
use super::*;
use crate::platform::Platform;
use iced_x86::code_asm::*;

fn judged(parts: &[Part<'_>], list: &str) -> Vec<String> {
    let allowed = Allowances::parse(RULE.name, LIST, list, &[Platform::Native]).unwrap();
    let finding = judge(&image(parts), &allowed);
    finding.violations.iter().map(ToString::to_string).collect()
}

const LIST_OF_ONE: &str = "[[allow]]\nfunctions = [\"core::fmt::*\"]\nkinds = [\"call\"]\nreason = \"formatting\"";

const FORMATTING: Part<'static> = ("core::fmt::write", &|a| a.call(qword_ptr(rax + 24)).unwrap());

#[test]
fn a_call_through_a_pointer_needs_a_reason() {
    assert_eq!(
        judged(&[FORMATTING], ""),
        ["indirection: an indirect call for no listed reason: `call qword ptr [rax+0x18]` at 0x0 in core::fmt::write"]
    );
    assert!(judged(&[FORMATTING], LIST_OF_ONE).is_empty());
}

#[test]
fn a_jump_is_another_kind() {
    let jump: Part<'_> = ("core::fmt::tail", &|a| a.jmp(rax).unwrap());
    let found = judged(&[FORMATTING, jump], LIST_OF_ONE);
    assert!(
        found.len() == 1 && found[0].contains("an indirect jump for no listed reason"),
        "{found:?}"
    );
}

#[test]
fn a_platforms_code_has_no_reason() {
    let list = "[[allow]]\nfunctions = [\"*\"]\nkinds = [\"call\", \"jump\"]\nreason = \"anything\"";
    let platform: Part<'_> = ("<subarch_xen::Xen as arch::irq::IrqOps>::enable", &|a| {
        a.call(rax).unwrap()
    });
    let probe: Part<'_> = ("probe.IrqOps.enable", &|a| a.jmp(rax).unwrap());
    let found = judged(&[FORMATTING, platform, probe], list);
    assert!(
        found[0].contains("an indirect call in the code of subarch_xen"),
        "{found:?}"
    );
    assert!(
        found[1].contains("an indirect jump on the way of an operation"),
        "{found:?}"
    );
}

#[test]
fn what_occurs_no_more_is_an_error() {
    let direct: Part<'_> = ("direct", &|a| {
        a.call(0x100).unwrap();
        a.syscall().unwrap();
        a.ret().unwrap();
    });
    let found = judged(&[direct], LIST_OF_ONE);
    assert!(
        found.len() == 1 && found[0].contains("does not occur any more"),
        "{found:?}"
    );
}
