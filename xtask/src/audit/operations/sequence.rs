//! An operation as text and figures.
//!
//! Addresses move with every build, and registers of the frame belong to the probe. So addresses become the names of what is there,
//! jumps within the operation lead to numbered labels, and what every function with a frame pointer begins and ends with is left out.

use super::essence;
use super::names::Names;
use crate::audit::image::{Function, Image};
use iced_x86::{FlowControl, Formatter, Instruction, IntelFormatter, Mnemonic, OpKind, Register};
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
    /// What the probe `function` of `image` is made of.
    pub fn of(image: &Image, function: &Function) -> Self {
        let mut instructions = image.instructions(function);
        while instructions.pop_if(|last| is_end(last)).is_some() {}
        let bytes = bytes(&instructions);
        let frame: Vec<_> = instructions.extract_if(.., |each| is_of_frame(each)).collect();
        let names = Names::new(image, function, &instructions);
        let mut sequence = Self {
            lines: Vec::new(),
            bytes: bytes - frame.iter().map(Instruction::len).sum::<usize>(),
            instructions: instructions.len(),
            stack: instructions.iter().map(claimed).sum(),
            calls: instructions
                .iter()
                .filter_map(|each| callee(image, function, each))
                .collect(),
            indirect: Vec::new(),
            essence: essence::of(&instructions, &names),
        };
        sequence.calls.sort();
        sequence.calls.dedup();
        let mut formatter = names.formatter();
        for instruction in &instructions {
            sequence.lines.extend(names.label(instruction.ip()));
            let line = line(&mut formatter, instruction);
            let flow = instruction.flow_control();
            if matches!(flow, FlowControl::IndirectBranch | FlowControl::IndirectCall) {
                sequence.indirect.push(line.clone());
            }
            sequence.lines.push(line);
        }
        sequence
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

/// What belongs to the probe as a function, not to the operation.
fn is_of_frame(instruction: &Instruction) -> bool {
    let first = instruction.op0_register();
    match instruction.mnemonic() {
        Mnemonic::Push | Mnemonic::Pop => first == Register::RBP,
        Mnemonic::Mov => first == Register::RBP && instruction.op1_register() == Register::RSP,
        _ => false,
    }
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

/// The function that `instruction` calls, or jumps to as its last act.
fn callee(image: &Image, function: &Function, instruction: &Instruction) -> Option<String> {
    let leads_away = match instruction.flow_control() {
        FlowControl::Call => instruction.is_call_near(),
        FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
            !function.range.contains(&instruction.near_branch_target())
        }
        _ => false,
    };
    let target = || image.function_at(instruction.near_branch_target());
    leads_away.then(|| target().map_or_else(|| "unknown".to_owned(), |target| target.name.clone()))
}

/// One instruction.
fn line(formatter: &mut IntelFormatter, instruction: &Instruction) -> String {
    let mut line = String::new();
    formatter.format(instruction, &mut line);
    line
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
