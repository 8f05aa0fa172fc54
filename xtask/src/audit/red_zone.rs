//! The red zone: nothing is kept below the stack pointer.
//!
//! The convention of programs lets a function use 128 bytes below RSP, since signals keep clear of them. Interrupts do not: the
//! processor and Xen push their frames right there. Kernels are therefore compiled without a red zone, and one object that was not,
//! or one line of assembly, is a corruption that shows once a week.

use super::image::Image;
use super::violation::Violation;
use super::{Finding, Rule};
use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register, UsedMemory};

/// The rule.
pub const RULE: Rule = Rule {
    name: "red-zone",
    check: |subject| Ok(red_zone(&subject.image)),
};

fn red_zone(image: &Image) -> Finding {
    let mut factory = InstructionInfoFactory::new();
    let mut finding = Finding::default();
    for function in &image.functions {
        let instructions = image.instructions(function);
        let frame = frame(&instructions);
        for instruction in instructions {
            let mut used = factory.info(&instruction).used_memory().iter();
            if !moves_stack(&instruction) && used.any(|used| is_below(used, frame)) {
                let what = "an access below the stack pointer, where interrupts write";
                finding
                    .violations
                    .push(Violation::at(RULE.name, what, image, function, &instruction));
            }
        }
    }
    finding.summary = format!(
        "{} functions, none of them keeps anything below the stack pointer",
        image.functions.len()
    );
    finding
}

/// Whether `instruction` writes below the stack pointer by moving it there.
fn moves_stack(instruction: &Instruction) -> bool {
    instruction.stack_pointer_increment() != 0 || matches!(instruction.mnemonic(), Mnemonic::Lea | Mnemonic::Nop)
}

/// Whether `used` lies below RSP, or below the frame of RBP, which is `frame` bytes deep where it is known.
fn is_below(used: &UsedMemory, frame: Option<u64>) -> bool {
    let displacement = used.displacement() as i64;
    if displacement >= 0 || used.index() != Register::None || used.segment() == Register::GS {
        return false;
    }
    match used.base() {
        Register::RSP => true,
        Register::RBP => frame.is_some_and(|frame| displacement.unsigned_abs() > frame),
        _ => false,
    }
}

/// How many bytes below RBP a function with a frame pointer claims, at the most; `None` without one, or if the stack pointer is moved in a
/// way that does not tell by how much.
fn frame(instructions: &[Instruction]) -> Option<u64> {
    let is_start = |each: &Instruction| {
        each.mnemonic() == Mnemonic::Mov && each.op0_register() == Register::RBP && each.op1_register() == Register::RSP
    };
    let start = instructions.iter().position(is_start)?;
    let mut claimed = 0;
    for instruction in &instructions[start + 1..] {
        match instruction.mnemonic() {
            Mnemonic::Push => claimed += 8,
            Mnemonic::Sub if instruction.op0_register() == Register::RSP => match instruction.op1_kind() {
                OpKind::Register | OpKind::Memory => return None,
                _ => claimed += instruction.immediate(1),
            },
            Mnemonic::And if instruction.op0_register() == Register::RSP => return None,
            _ => {}
        }
    }
    Some(claimed)
}

#[cfg(test)]
mod tests {
    use super::super::image::sample::{Part, image};
    use super::*;
    use iced_x86::code_asm::*;

    fn below(parts: &[Part<'_>]) -> Vec<String> {
        red_zone(&image(parts))
            .violations
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn accesses_below_the_stack_pointer_are_found() {
        let found = below(&[("leaf", &|a| {
            a.mov(qword_ptr(rsp - 8), rax).unwrap();
            a.ret().unwrap();
        })]);
        assert_eq!(
            found,
            ["red-zone: an access below the stack pointer, where interrupts write: `mov [rsp-8], rax` at 0x0 in leaf"]
        );
    }

    #[test]
    fn so_are_accesses_below_the_frame() {
        let with_frame_of = |size: i32| {
            below(&[("framed", &move |a: &mut CodeAssembler| {
                a.push(rbp).unwrap();
                a.mov(rbp, rsp).unwrap();
                a.push(rbx).unwrap();
                a.sub(rsp, size).unwrap();
                a.mov(qword_ptr(rbp - 24), rax).unwrap();
            })])
        };
        assert!(with_frame_of(16).is_empty());
        assert_eq!(with_frame_of(8).len(), 1);
    }

    #[test]
    fn pushes_calls_and_the_frame_itself_are_in_order() {
        let found = below(&[("good", &|a| {
            a.push(rbp).unwrap();
            a.mov(rbp, rsp).unwrap();
            a.sub(rsp, 16).unwrap();
            a.call(0).unwrap();
            a.mov(rax, qword_ptr(rbp - 16)).unwrap();
            a.lea(rsp, qword_ptr(rbp - 8)).unwrap();
            a.pop(rbp).unwrap();
            a.ret().unwrap();
        })]);
        assert!(found.is_empty(), "{found:?}");
    }
}
