use super::sample::{file, image};
use super::*;
use iced_x86::Mnemonic;

#[test]
fn functions_have_names_addresses_and_instructions() {
    let image = image(&[
        ("first", &|a| a.cli().unwrap()),
        ("second", &|a| {
            a.nop().unwrap();
            a.ret().unwrap();
        }),
    ]);
    assert_eq!(image.functions.len(), 2);
    let second = image.named("second").next().unwrap();
    assert_eq!(second.range, 16..18);
    let mnemonics: Vec<_> = image.instructions(second).iter().map(Instruction::mnemonic).collect();
    assert_eq!(mnemonics, [Mnemonic::Nop, Mnemonic::Ret]);
    assert_eq!(image.function_at(17), Some(second));
    assert_eq!(image.function_at(8), None);
    assert!(image.section(".text").unwrap().rights.execute);
}

#[test]
fn what_is_no_image_is_refused() {
    assert!(Image::parse(b"#!/bin/sh").is_err());
    let without_functions = Image::parse(&file(&[], &[])).unwrap_err();
    assert!(without_functions.to_string().contains("no symbols of functions"));
}
