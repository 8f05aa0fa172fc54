//! An operation as text and figures.
//!
//! Addresses move with every build, and registers of the frame belong to the probe. So addresses become the names of what is there,
//! jumps within the operation lead to numbered labels, and what every function with a frame pointer begins and ends with is left out.

use super::names::Names;
use super::{beside, essence};
use crate::audit::constant;
use crate::audit::image::{Function, Image};
use crate::audit::violation::text;
use iced_x86::{FlowControl, Formatter, Instruction, Mnemonic, OpKind, Register};
use std::collections::BTreeSet;
use std::fmt;

/// The instructions of an operation, and what they cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// One line for each instruction, and for each label.
    pub lines: Vec<String>,
    /// How many bytes the instructions have.
    pub bytes: usize,
    /// How many there are.
    pub instructions: usize,
    /// How much of the stack they claim, without what they call.
    pub stack: u64,
    /// What they call, by name, in alphabetical order.
    pub calls: Vec<String>,
    /// What of them goes through a pointer.
    pub indirect: Vec<String>,
    /// What of them can be noticed outside the registers; see [`essence`].
    pub essence: Vec<String>,
}

impl Sequence {
    /// What the probe `function` of `image` is made of, with what it leads to beside all functions.
    pub fn of(image: &Image, function: &Function) -> Self {
        let mut all = image.instructions(function);
        while all.pop_if(|last| is_end(last)).is_some() {}
        let has_frame = all.iter().any(makes_frame);
        let (frame, mut instructions): (Vec<Instruction>, Vec<_>) =
            all.iter().partition(|each| has_frame && is_of_frame(each));
        let own = bytes(&all) - frame.iter().map(Instruction::len).sum::<usize>();
        let beside = beside::of(image, &instructions);
        all.extend(&beside);
        instructions.extend(&beside);
        let names = Names::new(image, function, &instructions);
        let calls: BTreeSet<_> = instructions
            .iter()
            .filter_map(|each| callee(image, function, &beside, each))
            .collect();
        let indirect = instructions
            .iter()
            .filter(|each| is_indirect(each) && constant::target(image, function, each).is_none());
        Self {
            lines: lines(&all, &instructions, &names),
            bytes: own + beside.iter().map(Instruction::len).sum::<usize>(),
            instructions: instructions.len(),
            stack: instructions.iter().map(claimed).sum(),
            calls: calls.into_iter().collect(),
            indirect: indirect.map(text).collect(),
            essence: essence::of(&instructions, &names),
        }
    }

    /// The figures in a phrase.
    pub fn figures(&self) -> impl fmt::Display {
        let Self {
            bytes,
            instructions,
            stack,
            calls,
            ..
        } = self;
        format!(
            "{instructions} instructions, {bytes} bytes, {stack} of stack, {} calls",
            calls.len()
        )
    }
}

/// How many bytes there are from the first to the last: more than the instructions' own where Xen's letters stand between two.
fn bytes(instructions: &[Instruction]) -> usize {
    match instructions {
        [first, .., last] => (last.next_ip() - first.ip()) as usize,
        [only] => only.len(),
        [] => 0,
    }
}

/// Whether it is what a function with a frame pointer begins with; assembly that goes elsewhere has none.
fn makes_frame(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Mov
        && instruction.op0_register() == Register::RBP
        && instruction.op1_register() == Register::RSP
}

/// What belongs to a function, not to the operation.
fn is_of_frame(instruction: &Instruction) -> bool {
    let moves = matches!(instruction.mnemonic(), Mnemonic::Push | Mnemonic::Pop);
    moves && instruction.op0_register() == Register::RBP || makes_frame(instruction)
}

/// What a function ends with: its return, or behind one that does not return what marks its end.
fn is_end(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Ret | Mnemonic::Int3 | Mnemonic::Ud2)
}

/// How many bytes of stack `instruction` claims.
fn claimed(instruction: &Instruction) -> u64 {
    match instruction.mnemonic() {
        Mnemonic::Push | Mnemonic::Pushfq => 8,
        Mnemonic::Sub if instruction.op0_register() == Register::RSP && instruction.op1_kind() != OpKind::Register => {
            instruction.immediate(1)
        }
        _ => 0,
    }
}

/// The function that `instruction` calls, or jumps to as its last act; by an address in read-only memory, too, as the linker leaves some.
fn callee(image: &Image, function: &Function, beside: &[Instruction], instruction: &Instruction) -> Option<String> {
    if let Some(target) = constant::target(image, function, instruction) {
        return Some(target.name.clone());
    }
    let leads_away = match instruction.flow_control() {
        FlowControl::Call => instruction.is_call_near(),
        FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
            let target = instruction.near_branch_target();
            !function.range.contains(&target) && beside.iter().all(|each| each.ip() != target)
        }
        _ => false,
    };
    let target = || image.function_at(instruction.near_branch_target());
    leads_away.then(|| target().map_or_else(|| "unknown".to_owned(), |target| target.name.clone()))
}

/// Whether it goes where a register or memory says.
fn is_indirect(instruction: &Instruction) -> bool {
    matches!(
        instruction.flow_control(),
        FlowControl::IndirectBranch | FlowControl::IndirectCall
    )
}

/// The text of those of `all` instructions that are `shown`, and of the labels before them and behind.
fn lines(all: &[Instruction], shown: &[Instruction], names: &Names) -> Vec<String> {
    let mut formatter = names.formatter();
    let mut lines = Vec::new();
    for instruction in all {
        lines.extend(names.label(instruction.ip()));
        if shown.contains(instruction) {
            let mut line = String::new();
            formatter.format(instruction, &mut line);
            lines.push(line);
        }
    }
    lines.extend(all.last().and_then(|last| names.label(last.next_ip())));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::image::sample::image;
    use iced_x86::code_asm::*;

    #[test]
    fn an_operation_is_what_is_left_of_its_probe() {
        let image = image(&[
            ("probe.G.masked_store", &|a| {
                let mut behind = a.create_label();
                a.push(rbp).unwrap();
                a.mov(rbp, rsp).unwrap();
                a.push(rbx).unwrap();
                a.sub(rsp, 16).unwrap();
                a.mov(byte_ptr(1).gs(), 1).unwrap();
                a.je(behind).unwrap();
                a.call(80).unwrap();
                a.set_label(&mut behind).unwrap();
                a.cli().unwrap();
                a.pop(rbp).unwrap();
                a.ret().unwrap();
            }),
            ("callee", &|a| {
                (0..64).for_each(|_| a.nop().unwrap());
            }),
        ]);
        let sequence = Sequence::of(&image, &image.functions[0]);
        assert_eq!(
            sequence.lines,
            [
                "push rbx",
                "sub rsp, 0x10",
                "mov byte ptr gs:[1], 1",
                "je short 1",
                "call 0x50",
                "1:",
                "cli"
            ]
        );
        assert_eq!((sequence.instructions, sequence.stack), (6, 24));
        assert_eq!(sequence.calls, ["callee"]);
        assert_eq!(sequence.essence, ["mov byte ptr gs:[1], 1", "cli"]);
        assert!(sequence.indirect.is_empty());
    }

    #[test]
    fn pointers_are_noticed() {
        let image = image(&[("probe.G.bad", &|a| {
            a.call(rax).unwrap();
            a.jmp(rax).unwrap();
        })]);
        assert_eq!(
            Sequence::of(&image, &image.functions[0]).indirect,
            ["call rax", "jmp rax"]
        );
    }
}
