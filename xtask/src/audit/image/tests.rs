use super::sample::{file, image};
use super::*;

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
    let second = &image.functions[1];
    assert_eq!(second.name, "second");
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

#[test]
fn the_letters_of_forced_emulation_are_no_code() {
    let instructions = decode(0x1000, b"\x0f\x0bxen\x0f\xa2");
    let found: Vec<_> = instructions.iter().map(|each| (each.ip(), each.mnemonic())).collect();
    assert_eq!(found, [(0x1000, Mnemonic::Ud2), (0x1005, Mnemonic::Cpuid)]);
}

#[test]
fn a_function_without_a_way_out_diverges() {
    let image = image(&[
        ("ends", &|a| a.ret().unwrap()),
        ("goes on elsewhere", &|a| a.jmp(0x1000).unwrap()),
        ("never", &|a| {
            a.call(0).unwrap();
            a.ud2().unwrap();
        }),
        ("nor does this", &|a| a.jmp(32).unwrap()),
    ]);
    let divergent = [0, 16, 32, 48].map(|address| image.diverges(address));
    assert_eq!(divergent, [false, false, true, true]);
}

#[test]
fn code_that_was_replaced_returns_as_what_was_compiled() {
    let mut image = image(&[("never", &|a| a.jmp(0).unwrap()), ("ends", &|a| a.ret().unwrap())]);
    let mut memory = image.bytes(0..17).to_vec();
    let return_instruction = 0xc3;
    memory[0] = return_instruction;
    assert!(image.replace_code(|_| &[]).is_err(), "no memory");
    image
        .replace_code(|range| &memory[range.start as usize..range.end as usize])
        .unwrap();
    assert_eq!(image.bytes(0..1), [return_instruction]);
    assert!(image.diverges(0) && !image.diverges(16));
}
