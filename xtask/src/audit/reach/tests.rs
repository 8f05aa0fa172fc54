use super::super::image::LETTERS;
use super::super::image::sample::{file, image};
use super::*;
use iced_x86::code_asm::{CodeAssembler, ptr, rax};
use object::SectionKind;

/// Writes the instructions of a function.
type Write = dyn Fn(&mut CodeAssembler);

/// A function that ends at once; samples put each at a multiple of 16.
fn end(a: &mut CodeAssembler) {
    a.cli().unwrap();
    a.ret().unwrap();
}

/// Whether the second function, at 16, is reached if the image is entered at its first, which is `first`.
fn leads_on(first: &Write) -> bool {
    let image = image(&[("first", first), ("second", &end)]);
    Reach::of(&image, &[0]).contains(16)
}

#[test]
fn calls_jumps_and_loaded_addresses_are_followed() {
    assert!(leads_on(&|a| a.call(16).unwrap()), "a call");
    assert!(leads_on(&|a| a.jmp(16).unwrap()), "a jump");
    assert!(leads_on(&|a| a.jne(16).unwrap()), "a jump on a condition");
    assert!(
        leads_on(&|a| a.lea(rax, ptr(16)).unwrap()),
        "an address that is computed"
    );
    assert!(leads_on(&|a| a.mov(rax, 16_u64).unwrap()), "an address that is loaded");
}

#[test]
fn what_nothing_leads_to_is_not_reached() {
    assert!(!leads_on(&|a| a.ret().unwrap()));
    assert!(!leads_on(&|a| a.ud2().unwrap()));
    assert!(!leads_on(&|a| {
        let skipped = 0xeb;
        a.db(&[skipped, 0xfe]).unwrap();
    }));
}

#[test]
fn behind_a_call_that_does_not_return_is_nothing() {
    let forever: &Write = &|a| a.hlt().and_then(|()| a.jmp(16)).unwrap();
    let parts: [(&str, &Write); 3] = [
        ("first", &|a| a.call(16).unwrap()),
        ("forever", forever),
        ("third", &end),
    ];
    let reach = Reach::of(&image(&parts), &[0]);
    assert!(reach.contains(16) && !reach.contains(5) && !reach.contains(32));
}

#[test]
fn behind_xens_prefix_it_goes_on() {
    let forced: &Write = &|a| {
        a.db(&[0x0f, 0x0b]).unwrap();
        a.db(LETTERS).unwrap();
        a.db(&[0x0f, 0xa2]).unwrap();
        a.ret().unwrap();
    };
    let reach = Reach::of(&image(&[("first", forced)]), &[0]);
    assert!(reach.contains(5) && reach.contains(7) && reach.len() == 3);
}

#[test]
fn functions_that_data_names_are_reached() {
    let parts: [(&str, &Write); 2] = [("first", &end), ("second", &end)];
    let of_data = |word: u64| {
        let data = word.to_le_bytes();
        let file = file(&parts, &[(".data", SectionKind::Data, data.as_slice())]);
        Reach::of(&Image::parse(&file).unwrap(), &[0]).contains(16)
    };
    assert!(of_data(16));
    assert!(!of_data(17), "no function begins there");
}
