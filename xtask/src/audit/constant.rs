//! Calls through a constant: indirect by encoding, direct in effect.
//!
//! The precompiled `core` wants `memcpy` and its sisters called through the linker's table of addresses, and when everything is compiled
//! together that wish wins. The table is in read-only memory, where no store of the kernel reaches, and holds what the linker
//! wrote. So such a call has one target, which can be read from the image: of `call [rip + table]` at once, of `call reg` if the
//! register holds that by every way that leads there.

use super::image::{Function, Image};
use std::collections::{HashMap, HashSet};

use iced_x86::{FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

/// Where the indirect call or jump `instruction` of `function` leads, if it is to a constant in read-only memory.
pub fn target<'i>(image: &'i Image, function: &Function, instruction: &Instruction) -> Option<&'i Function> {
    let address = match instruction.op0_kind() {
        OpKind::Memory => constant(image, instruction)?,
        OpKind::Register => loaded(image, function, instruction, instruction.op0_register())?,
        _ => return None,
    };
    image
        .function_at(address)
        .filter(|target| target.range.start == address)
}

/// The word that the memory operand of `instruction` names, if it lies at a fixed address in memory that nobody may write.
fn constant(image: &Image, instruction: &Instruction) -> Option<u64> {
    if !instruction.is_ip_rel_memory_operand() {
        return None;
    }
    let address = instruction.ip_rel_memory_address();
    if image.is_writable(address) {
        return None;
    }
    let word = image.bytes(address..address + 8);
    Some(u64::from_le_bytes(word.try_into().ok()?))
}

/// Where a value is kept in a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Location {
    Register(Register),
    /// A word of the frame, by its distance from RBP, where the compiler puts what it has no register for.
    Slot(u64),
}

/// The one constant that `register` holds when `instruction` is reached, by whatever way through `function`.
fn loaded(image: &Image, function: &Function, instruction: &Instruction, register: Register) -> Option<u64> {
    let instructions = image.instructions(function);
    let before = predecessors(image, &instructions);
    let start = instructions.iter().position(|each| each.ip() == instruction.ip())?;
    let mut factory = InstructionInfoFactory::new();
    let first = (start, Location::Register(register));
    let (mut waiting, mut seen) = (vec![first], HashSet::from([first]));
    let mut value = None;
    while let Some((index, location)) = waiting.pop() {
        // The value comes from the caller.
        if index == 0 {
            return None;
        }
        // What nothing leads to, such as padding, leads nowhere either.
        for previous in before.get(&index).into_iter().flatten() {
            let instruction = &instructions[*previous];
            let source = if !writes(&mut factory, instruction, location) {
                location
            } else if let Some(copied) = copied(instruction) {
                copied
            } else {
                let found = load(image, instruction)?;
                if *value.get_or_insert(found) != found {
                    return None;
                }
                continue;
            };
            if seen.insert((*previous, source)) {
                waiting.push((*previous, source));
            }
        }
    }
    value
}

/// From where `instruction` copies a whole word, if that is what it does.
fn copied(instruction: &Instruction) -> Option<Location> {
    if instruction.mnemonic() != Mnemonic::Mov {
        return None;
    }
    match instruction.op1_kind() {
        OpKind::Register if instruction.op1_register().is_gpr64() => {
            Some(Location::Register(instruction.op1_register()))
        }
        OpKind::Memory if instruction.op0_register().is_gpr64() => slot(instruction).map(Location::Slot),
        _ => None,
    }
}

/// The slot that the memory operand of `instruction` names, if it is one.
fn slot(instruction: &Instruction) -> Option<u64> {
    let is_slot = instruction.memory_base() == Register::RBP && instruction.memory_index() == Register::None;
    is_slot.then(|| instruction.memory_displacement64())
}

/// The constant that `instruction` loads, if that is what it does.
fn load(image: &Image, instruction: &Instruction) -> Option<u64> {
    (instruction.mnemonic() == Mnemonic::Mov)
        .then(|| constant(image, instruction))
        .flatten()
}

/// From which instructions each is reached, by their numbers.
fn predecessors(image: &Image, instructions: &[Instruction]) -> HashMap<usize, Vec<usize>> {
    let numbers: HashMap<u64, usize> = instructions
        .iter()
        .enumerate()
        .map(|(number, each)| (each.ip(), number))
        .collect();
    let mut predecessors: HashMap<usize, Vec<usize>> = HashMap::new();
    for (number, instruction) in instructions.iter().enumerate() {
        let (falls_through, jumps) = match instruction.flow_control() {
            FlowControl::UnconditionalBranch => (false, true),
            FlowControl::ConditionalBranch => (true, true),
            FlowControl::Return | FlowControl::IndirectBranch | FlowControl::Exception => (false, false),
            FlowControl::Call if instruction.is_call_near() => {
                (!image.diverges(instruction.near_branch_target()), false)
            }
            _ => (true, false),
        };
        let next = falls_through.then_some(instruction.next_ip());
        let target = jumps.then_some(instruction.near_branch_target());
        for address in next.into_iter().chain(target) {
            if let Some(reached) = numbers.get(&address) {
                predecessors.entry(*reached).or_default().push(number);
            }
        }
    }
    predecessors
}

/// Whether there may be another value at `location` after `instruction`. A function called changes the registers that it need not
/// preserve; and who takes the address of a slot may change it at any time.
fn writes(factory: &mut InstructionInfoFactory, instruction: &Instruction, location: Location) -> bool {
    use Register::{R12, R13, R14, R15, RBP, RBX};
    let is_call = matches!(
        instruction.flow_control(),
        FlowControl::Call | FlowControl::IndirectCall
    );
    let is_read = |access| matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::None);
    match location {
        Location::Register(register) if is_call => ![RBX, RBP, R12, R13, R14, R15].contains(&register),
        Location::Register(register) => {
            let mut used = factory.info(instruction).used_registers().iter();
            used.any(|used| used.register().full_register() == register.full_register() && !is_read(used.access()))
        }
        Location::Slot(distance) => {
            let mut used = factory.info(instruction).used_memory().iter();
            let takes_address = instruction.mnemonic() == Mnemonic::Lea;
            slot(instruction) == Some(distance) && (takes_address || used.any(|used| !is_read(used.access())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::image::sample::{Part, file};
    use super::*;
    use iced_x86::code_asm::*;
    use iced_x86::{Code, MemoryOperand};
    use object::SectionKind;

    /// Where the table is put.
    const TABLE: u64 = 0x1000;

    /// Whether the last call of a function that `write` writes is found to be of `memcpy`, whose address stands in the table, a section
    /// of this kind.
    fn is_resolved(kind: SectionKind, write: &dyn Fn(&mut CodeAssembler)) -> bool {
        let parts: [Part<'_>; 2] = [("caller", write), ("memcpy", &|a| a.ret().unwrap())];
        let mut image = Image::parse(&file(&parts, &[("table", kind, &[0; 8])])).unwrap();
        let [caller, memcpy] = [0, 1].map(|index| image.functions[index].clone());
        image.segments.clear();
        let table = image
            .sections
            .iter_mut()
            .find(|section| section.name == "table")
            .unwrap();
        table.range = TABLE..TABLE + 8;
        table.bytes = memcpy.range.start.to_le_bytes().to_vec();
        let instructions = image.instructions(&caller);
        let is_call = |each: &&Instruction| each.flow_control() == FlowControl::IndirectCall;
        let call = instructions.iter().rfind(is_call).unwrap();
        target(&image, &caller, call).is_some_and(|target| target.name == "memcpy")
    }

    /// The word in the table, relative to RIP as the compiler has it.
    fn table() -> MemoryOperand {
        MemoryOperand::with_base_displ(Register::RIP, TABLE as i64)
    }

    /// R13 from the table.
    fn load_r13(a: &mut CodeAssembler) {
        a.add_instruction(Instruction::with2(Code::Mov_r64_rm64, Register::R13, table()).unwrap())
            .unwrap();
    }

    #[test]
    fn a_call_through_a_read_only_word_is_resolved() {
        let call: &dyn Fn(&mut CodeAssembler) = &|a| {
            let call = Instruction::with1(Code::Call_rm64, table()).unwrap();
            a.add_instruction(call).unwrap();
        };
        assert!(is_resolved(SectionKind::ReadOnlyData, call));
        assert!(
            !is_resolved(SectionKind::Data, call),
            "a word that can be written is no constant"
        );
    }

    #[test]
    fn a_register_is_resolved_if_nothing_else_is_loaded() {
        assert!(is_resolved(SectionKind::ReadOnlyData, &|a| {
            load_r13(a);
            a.call(r13).unwrap();
            a.pop(r13).unwrap();
        }));
        assert!(is_resolved(SectionKind::ReadOnlyData, &|a| {
            load_r13(a);
            a.mov(rbx, r13).unwrap();
            a.call(rbx).unwrap();
        }));
        assert!(is_resolved(SectionKind::ReadOnlyData, &|a| {
            load_r13(a);
            a.mov(qword_ptr(rbp - 8), r13).unwrap();
            a.call(rax).unwrap();
            a.mov(rbx, qword_ptr(rbp - 8)).unwrap();
            a.call(rbx).unwrap();
        }));
        assert!(!is_resolved(SectionKind::ReadOnlyData, &|a| {
            load_r13(a);
            a.mov(qword_ptr(rbp - 8), r13).unwrap();
            a.lea(rdi, qword_ptr(rbp - 8)).unwrap();
            a.mov(rbx, qword_ptr(rbp - 8)).unwrap();
            a.call(rbx).unwrap();
        }));
        assert!(!is_resolved(SectionKind::ReadOnlyData, &|a| {
            let mut behind = a.create_label();
            a.je(behind).unwrap();
            load_r13(a);
            a.set_label(&mut behind).unwrap();
            a.call(r13).unwrap();
        }));
        assert!(!is_resolved(SectionKind::ReadOnlyData, &|a| {
            load_r13(a);
            a.add(r13, 8).unwrap();
            a.call(r13).unwrap();
        }));
        assert!(!is_resolved(SectionKind::ReadOnlyData, &|a| {
            load_r13(a);
            a.mov(r13d, eax).unwrap();
            a.call(r13).unwrap();
        }));
        assert!(!is_resolved(SectionKind::ReadOnlyData, &|a| a.call(r13).unwrap()));
    }
}
