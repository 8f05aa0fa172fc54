//! What one instruction changes of a [`State`].

use super::super::super::image::Image;
use super::common::Common;
use super::state::State;
use iced_x86::{FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

/// The registers that a function called may change, by the calling convention of System V.
const LOST_IN_CALLS: [Register; 9] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
];

/// Changes `state` to what holds after `instruction`; false if it is not known where the stack is then.
pub fn apply(
    common: &Common<'_>,
    instruction: &Instruction,
    state: &mut State,
    information: &mut InstructionInfoFactory,
) -> bool {
    let is_call = matches!(
        instruction.flow_control(),
        FlowControl::Call | FlowControl::IndirectCall
    );
    if is_call {
        LOST_IN_CALLS.into_iter().for_each(|register| state.set(register, None));
        state.depth -= common.taken_by(instruction);
        return true;
    }
    let (depth, base) = (moved(instruction, state), new_base(instruction, state));
    let constant = constant(common.image, instruction);
    let writes = information
        .info(instruction)
        .used_registers()
        .iter()
        .filter(|used| writes(used.access()));
    for used in writes {
        state.set(used.register(), None);
    }
    if instruction.op0_kind() == OpKind::Register && constant.is_some() {
        state.set(instruction.op0_register(), constant);
    }
    state.base = base;
    depth.map(|depth| state.depth = depth).is_some()
}

fn writes(access: OpAccess) -> bool {
    matches!(
        access,
        OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
    )
}

/// How deep RSP is after `instruction`, if that is known.
fn moved(instruction: &Instruction, state: &State) -> Option<i64> {
    if instruction.mnemonic() == Mnemonic::Leave {
        return state.base.map(|base| base - 8);
    }
    if instruction.op0_kind() != OpKind::Register || instruction.op0_register().full_register() != Register::RSP {
        return Some(state.depth - i64::from(instruction.stack_pointer_increment()));
    }
    match instruction.mnemonic() {
        Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push => {
            Some(state.depth - i64::from(instruction.stack_pointer_increment()))
        }
        Mnemonic::Sub => immediate(instruction).map(|bytes| state.depth + bytes),
        Mnemonic::Add => immediate(instruction).map(|bytes| state.depth - bytes),
        // At the worst it takes all but the eight bytes by which the stack is aligned anyway.
        Mnemonic::And => immediate(instruction).map(|mask| state.depth - mask - 8),
        Mnemonic::Lea => place(instruction, state),
        Mnemonic::Mov if instruction.op1_register() == Register::RBP => state.base,
        // Another stack, from its top: the CPU's area says where it is.
        Mnemonic::Mov if instruction.segment_prefix() == Register::GS => Some(0),
        _ => None,
    }
}

/// Where RBP points after `instruction`, if to the stack.
fn new_base(instruction: &Instruction, state: &State) -> Option<i64> {
    let is_base =
        instruction.op0_kind() == OpKind::Register && instruction.op0_register().full_register() == Register::RBP;
    match instruction.mnemonic() {
        Mnemonic::Leave => None,
        Mnemonic::Mov if is_base && instruction.op1_register() == Register::RSP => Some(state.depth),
        Mnemonic::Lea if is_base => place(instruction, state),
        Mnemonic::Push | Mnemonic::Cmp | Mnemonic::Test => state.base,
        _ if is_base => None,
        _ => state.base,
    }
}

/// The place in the stack that `lea` computes, as a depth.
fn place(instruction: &Instruction, state: &State) -> Option<i64> {
    let from = match instruction.memory_base() {
        Register::RSP => Some(state.depth),
        Register::RBP => state.base,
        _ => None,
    };
    let displacement = instruction.memory_displacement64().cast_signed();
    from.filter(|_| instruction.memory_index() == Register::None)
        .map(|from| from - displacement)
}

/// The second operand, if it is a number.
fn immediate(instruction: &Instruction) -> Option<i64> {
    let is_number = !matches!(instruction.op1_kind(), OpKind::Register | OpKind::Memory);
    is_number.then(|| instruction.immediate(1).cast_signed())
}

/// The constant that `instruction` loads into its first operand.
fn constant(image: &Image, instruction: &Instruction) -> Option<u64> {
    match (instruction.mnemonic(), instruction.op1_kind()) {
        (Mnemonic::Lea, _) if instruction.is_ip_rel_memory_operand() => Some(instruction.memory_displacement64()),
        (Mnemonic::Mov, OpKind::Memory) if instruction.is_ip_rel_memory_operand() => {
            constant_at(image, instruction.memory_displacement64())
        }
        (Mnemonic::Mov, OpKind::Register | OpKind::Memory) => None,
        (Mnemonic::Mov, _) => immediate(instruction).map(i64::cast_unsigned),
        _ => None,
    }
}

/// The number in the image at `address`, if nothing can change it.
pub fn constant_at(image: &Image, address: u64) -> Option<u64> {
    let segment = image.segments.iter().find(|segment| segment.range.contains(&address))?;
    let bytes = image.bytes(address..address + 8);
    (!segment.rights.write).then(|| bytes.try_into().ok().map(u64::from_le_bytes))?
}
