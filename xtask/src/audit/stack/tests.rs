//! Images whose stacks are not deep enough, or of which that cannot be said.

use super::super::image::DETOURS;
use super::super::image::sample::{Part, image};
use super::*;
use crate::platform::Platform;
use iced_x86::code_asm::*;
use std::path::Path as File;

/// How large the samples' stacks are.
const SIZE: u64 = 0x400;

/// What is wrong with an image of these functions by these declarations.
fn complaints(declarations: &str, parts: &[Part<'_>]) -> Vec<String> {
    let mut image = image(parts);
    image.symbols.insert(STACK_SIZE.to_owned(), SIZE);
    image.symbols.insert(OWN_STACK_SIZE.to_owned(), SIZE);
    let subject = Subject {
        platform: Platform::Native,
        platforms: &[Platform::Native],
        image,
        file: Vec::new(),
        root: File::new("/"),
    };
    let finding = check_with(declarations, &subject).unwrap();
    finding.violations.iter().map(ToString::to_string).collect()
}

/// Takes so much room and goes to the function at `next`.
fn goes_on(a: &mut CodeAssembler, room: i32, next: u64) {
    a.sub(rsp, room).unwrap();
    a.call(next).unwrap();
    a.add(rsp, room).unwrap();
    a.ret().unwrap();
}

fn returns(a: &mut CodeAssembler) {
    a.ret().unwrap();
}

#[test]
fn what_runs_its_interrupt_and_an_exception_must_fit() {
    let entries = "entry all base 0 call -- x\nentry all both 0x -- x".replace("0x", "64 trap");
    let with_room = |room: i32| {
        complaints(
            &entries,
            &[
                ("call", &|a| goes_on(a, 0x100, 0x40)),
                ("trap", &|a| goes_on(a, room, 0x40)),
                ("leaf", &returns),
            ],
        )
    };
    assert_eq!(with_room(0xc0), Vec::<String>::new());
    let wrong = with_room(0x200);
    assert!(
        wrong[0].contains("without a panic, do not fit into a stack of 1024"),
        "{wrong:?}"
    );
}

#[test]
fn what_jumps_have_taken_out_of_line_must_fit_as_well() {
    let with_room = |room: i32| {
        complaints(
            "entry all base 0 call -- x",
            &[
                ("call", &|a| a.jmp(0x10).unwrap()),
                (DETOURS[0], &|a| goes_on(a, room, 0x30)),
                ("leaf", &returns),
            ],
        )
    };
    assert_eq!(with_room(0x300), Vec::<String>::new());
    assert!(with_room(0x400)[0].contains("do not fit into a stack of 1024"));
}

#[test]
fn on_a_bare_machine_the_code_is_that_of_vmi_if_there_is_any() {
    let compiled = |platform, platforms| {
        compiled(&Subject {
            platform,
            platforms,
            image: image(&[("leaf", &returns)]),
            file: Vec::new(),
            root: File::new("/"),
        })
    };
    assert_eq!(compiled(Platform::Native, &Platform::ALL), Platform::Vmi);
    assert_eq!(compiled(Platform::Xen, &Platform::ALL), Platform::Xen);
    assert_eq!(
        compiled(Platform::Native, &[Platform::Native, Platform::Xen]),
        Platform::Native
    );
}

#[test]
fn a_panic_is_measured_apart() {
    let entries = "entry all exception 0 trap -- x\npanic all fail -- x\n";
    let wrong = complaints(
        entries,
        &[
            ("trap", &|a| goes_on(a, 0x10, 0x10)),
            ("fail", &|a| goes_on(a, 0x500, 0x30)),
            ("leaf", &returns),
        ],
    );
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].contains("with a panic, do not fit"), "{wrong:?}");
}

#[test]
fn a_recursion_must_be_bounded() {
    let parts: [Part<'_>; 1] = [("again", &|a| goes_on(a, 0x40, 0))];
    let wrong = complaints("entry all base 0 again -- x", &parts);
    assert_eq!(wrong, ["stack: a recursion that no declaration bounds: again > again"]);
    let bounded = "entry all base 0 again -- x\nbound all 3 again -- x";
    assert_eq!(complaints(bounded, &parts), Vec::<String>::new());
    let too_often = "entry all base 0 again -- x\nbound all 30 again -- x";
    assert!(complaints(too_often, &parts)[0].contains("do not fit"));
}

#[test]
fn a_call_to_a_computed_address_must_be_declared() {
    let parts: [Part<'_>; 2] = [
        ("caller", &|a| {
            a.lea(rcx, qword_ptr(0x20)).unwrap();
            a.call(qword_ptr(rdi)).unwrap();
            a.ret().unwrap();
        }),
        ("target", &|a| goes_on(a, 0x500, 0x20)),
    ];
    let wrong = complaints("entry all base 0 caller -- x", &parts);
    assert!(
        wrong.len() == 1 && wrong[0].ends_with("no declaration says where that leads; on the path caller"),
        "{wrong:?}"
    );
}

#[test]
fn a_stack_of_its_own_has_its_own_limit() {
    let parts: [Part<'_>; 2] = [("worst", &|a| goes_on(a, 0x500, 0x20)), ("leaf", &returns)];
    let wrong = complaints("entry all own 0 worst -- x", &parts);
    assert!(wrong[0].contains("on a stack of its own, do not fit"), "{wrong:?}");
}

#[test]
fn a_declaration_that_is_needed_no_more_is_named() {
    let wrong = complaints("entry all base 0 leaf -- x\nleave all gone -- x", &[("leaf", &returns)]);
    assert_eq!(wrong, [format!("stack: {FILE}:2 is needed no more")]);
}

#[test]
fn the_projects_own_declarations_can_be_read() {
    for platform in Platform::ALL {
        Declared::read(DECLARED, platform).unwrap();
    }
}
