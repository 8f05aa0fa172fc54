//! An operation as text and figures.
//!
//! Addresses move with every build, and registers of the frame belong to the probe. So addresses become the names of what is there,
//! jumps within the operation lead to numbered labels, and what every function with a frame pointer begins and ends with is left out.

use super::essence;
use super::names::Names;
use super::parts::{self, Parts};
use crate::audit::constant;
use crate::audit::image::{Function, Image};
use crate::audit::violation::text;
use iced_x86::{FlowControl, Formatter, Instruction, Mnemonic, OpKind, Register};
use std::collections::{BTreeMap, BTreeSet};
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
        let Parts { own, beside } = parts::of(image, function);
        let ends = own.iter().rev().take_while(|last| is_end(last)).count();
        let kept = &own[..own.len() - ends];
        let has_frame = kept.iter().any(makes_frame);
        let of_operation = kept.iter().filter(|each| !(has_frame && is_of_frame(each)));
        let instructions: Vec<_> = of_operation.chain(&beside).copied().collect();
        let all: Vec<_> = own.iter().chain(&beside).copied().collect();
        let names = Names::new(image, function, &instructions);
        let calls: BTreeSet<_> = instructions
            .iter()
            .filter_map(|each| Some(callee(image, function, &beside, each)?.name()))
            .collect();
        let indirect = instructions
            .iter()
            .filter(|each| is_indirect(each) && constant::target(image, function, each).is_none());
        Self {
            lines: lines(&all, &instructions, &names),
            bytes: instructions.iter().map(|each| bytes(image, each)).sum(),
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

/// How many bytes `instruction` has, Xen's letters behind it included.
fn bytes(image: &Image, instruction: &Instruction) -> usize {
    let behind = image.behind_prefix(instruction).unwrap_or(instruction.next_ip());
    (behind - instruction.ip()) as usize
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

/// The functions that `function` calls, with what it leads to beside all functions, by ascending address.
pub fn callees<'i>(image: &'i Image, function: &Function) -> Vec<&'i Function> {
    let Parts { own, beside } = parts::of(image, function);
    let called = own
        .iter()
        .chain(&beside)
        .filter_map(|each| match callee(image, function, &beside, each)? {
            Callee::Function(called) => Some((called.range.start, called)),
            Callee::Unknown => None,
        });
    called.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// What an instruction calls.
enum Callee<'i> {
    Function(&'i Function),
    /// No function is there.
    Unknown,
}

impl Callee<'_> {
    fn name(&self) -> String {
        match self {
            Self::Function(function) => function.name.clone(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// What `instruction` calls, or jumps to as its last act; by an address in read-only memory, too, as the linker leaves some.
fn callee<'i>(
    image: &'i Image,
    function: &Function,
    beside: &[Instruction],
    instruction: &Instruction,
) -> Option<Callee<'i>> {
    if let Some(target) = constant::target(image, function, instruction) {
        return Some(Callee::Function(target));
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
    leads_away.then(|| target().map_or(Callee::Unknown, Callee::Function))
}

/// Whether it goes where a register or memory says.
fn is_indirect(instruction: &Instruction) -> bool {
    matches!(
        instruction.flow_control(),
        FlowControl::IndirectBranch | FlowControl::IndirectCall
    )
}

/// The text of those of `all` instructions that are `shown`, and of the labels before all of them.
fn lines(all: &[Instruction], shown: &[Instruction], names: &Names) -> Vec<String> {
    let mut formatter = names.formatter();
    let mut lines = Vec::new();
    for instruction in all {
        lines.extend(names.label(instruction.ip()));
        if shown.iter().any(|each| each.ip() == instruction.ip()) {
            let mut line = String::new();
            formatter.format(instruction, &mut line);
            lines.push(line);
        }
    }
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
