//! What one function does to the stack, read from its instructions.
//!
//! The function is walked along all its branches with a small state: how far RSP is below where it was at the first instruction,
//! the same for RBP while it holds a place in the stack, and which registers hold known addresses, since compilers call through a
//! register what they call often. Where paths meet, the deeper one counts, and what they disagree on is unknown. What jumps lead to that
//! have taken the place of instructions is a part of the function they are in.

mod common;
mod effect;
mod state;

pub use common::Common;

use super::super::image::{Function, Image};
use iced_x86::{FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};
use state::State;
use std::collections::{BTreeMap, BTreeSet};

/// What a function needs of the stack, and what it calls.
#[derive(Debug, Default)]
pub struct Frame {
    /// How many bytes below its caller's return address it reaches by itself.
    pub own: u64,
    /// Its calls and jumps to other functions.
    pub calls: Vec<Call>,
    /// The first instruction after which it is not known where the stack is.
    pub unclear: Option<Instruction>,
}

/// A way out of a function into another.
#[derive(Debug, Clone)]
pub struct Call {
    /// How many bytes are below the caller's own return address when the other function starts, its return address included.
    pub depth: u64,
    /// Where it leads.
    pub to: Target,
    /// The instruction.
    pub by: Instruction,
}

/// Where a call leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To this address.
    Known(u64),
    /// To an address that is found at run time.
    Computed,
}

/// The size of a return address.
const RETURN_ADDRESS: i64 = 8;

/// No function of a kernel reaches so far: what does is a loop that this walk does not understand.
const BEYOND_REASON: i64 = 1 << 24;

/// Walks through `function` of the image that `common` is of.
pub fn of(common: &Common<'_>, function: &Function) -> Frame {
    let own = common.image.instructions(function);
    let mut walk = Walk {
        common,
        function,
        own: own.into_iter().map(|each| (each.ip(), each)).collect(),
        states: BTreeMap::new(),
        waiting: BTreeSet::from([function.range.start]),
        information: InstructionInfoFactory::new(),
        frame: Frame::default(),
    };
    walk.states.insert(function.range.start, State::default());
    while let Some(address) = walk.waiting.pop_first() {
        walk.step(address);
    }
    walk.finish()
}

/// A walk in progress.
struct Walk<'a> {
    common: &'a Common<'a>,
    function: &'a Function,
    own: BTreeMap<u64, Instruction>,
    /// What is known before each instruction that can be reached.
    states: BTreeMap<u64, State>,
    /// Those whose state has changed.
    waiting: BTreeSet<u64>,
    information: InstructionInfoFactory,
    frame: Frame,
}

impl Walk<'_> {
    /// Goes on from the instruction at `address` to those that can follow.
    fn step(&mut self, address: u64) {
        let (Some(instruction), Some(state)) = (self.at(address), self.states.get(&address)) else {
            return;
        };
        let mut state = state.clone();
        if !effect::apply(self.common, &instruction, &mut state, &mut self.information) || state.depth > BEYOND_REASON {
            self.frame.unclear.get_or_insert(instruction);
            return;
        }
        self.frame.own = self.frame.own.max(state.depth.max(0).cast_unsigned());
        if let Some(target) = branch(&instruction).filter(|target| self.is_inside(*target)) {
            if self.common.beside.contains(target) && self.at(target).is_none() {
                self.frame.unclear.get_or_insert(instruction);
            }
            self.reach(target, state.clone());
        }
        for target in jump_table(self.common.image, &instruction, self.function) {
            self.reach(target, state.clone());
        }
        if self.falls_through(&instruction) {
            self.reach(instruction.next_ip(), state);
        }
    }

    /// The instruction at `address`, of the function or of what it leads to beside all functions.
    fn at(&self, address: u64) -> Option<Instruction> {
        let own = self.own.get(&address).copied();
        own.or_else(|| self.common.beside.at(address))
    }

    /// Whether what is at `address` is a part of the function, there or beside all functions.
    fn is_inside(&self, address: u64) -> bool {
        self.function.range.contains(&address) || self.common.beside.contains(address)
    }

    /// Whether the next instruction can follow.
    fn falls_through(&self, instruction: &Instruction) -> bool {
        match instruction.flow_control() {
            FlowControl::Return
            | FlowControl::UnconditionalBranch
            | FlowControl::IndirectBranch
            | FlowControl::Exception => false,
            _ if is_call(instruction) => !self.common.is_last(instruction),
            _ => true,
        }
    }

    /// Notes that the instruction at `address` can be reached with `state`.
    fn reach(&mut self, address: u64, state: State) {
        let joined = match self.states.get(&address) {
            Some(known) => known.joined(&state),
            None => state,
        };
        if self.states.get(&address) != Some(&joined) {
            self.states.insert(address, joined);
            self.waiting.insert(address);
        }
    }

    /// Collects the calls, now that all states are final.
    fn finish(mut self) -> Frame {
        for (address, state) in &self.states {
            let Some(instruction) = self.at(*address) else {
                continue;
            };
            let Some(to) = self.leads_to(&instruction, state) else {
                continue;
            };
            let pushed = if is_call(&instruction) { RETURN_ADDRESS } else { 0 };
            self.frame.calls.push(Call {
                depth: (state.depth + pushed).max(0).cast_unsigned(),
                to,
                by: instruction,
            });
        }
        let deepest = self.frame.calls.iter().map(|call| call.depth).max();
        self.frame.own = self.frame.own.max(deepest.unwrap_or(0));
        self.frame
    }

    /// The function outside of this one that `instruction` calls or jumps to.
    fn leads_to(&self, instruction: &Instruction, state: &State) -> Option<Target> {
        let image = self.common.image;
        match instruction.flow_control() {
            FlowControl::Call if is_call(instruction) => Some(Target::Known(instruction.near_branch_target())),
            FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                let target = branch(instruction)?;
                (!self.is_inside(target)).then_some(Target::Known(target))
            }
            FlowControl::IndirectBranch if !jump_table(image, instruction, self.function).is_empty() => None,
            FlowControl::IndirectCall | FlowControl::IndirectBranch => Some(computed(image, instruction, state)),
            _ => None,
        }
    }
}

/// The places in `function` that a jump by a table leads to: the words of the table up to the first that is no such place. The kernel
/// itself is compiled without such tables, but the standard library comes compiled.
fn jump_table(image: &Image, instruction: &Instruction, function: &Function) -> Vec<u64> {
    const WORD: u64 = 8;
    let by_table = instruction.flow_control() == FlowControl::IndirectBranch
        && instruction.memory_index() != Register::None
        && instruction.memory_base() == Register::None;
    if !by_table {
        return Vec::new();
    }
    let start = instruction.memory_displacement64();
    (0..)
        .map_while(|number| effect::constant_at(image, start.wrapping_add(number * WORD)))
        .take_while(|target| function.range.contains(target))
        .collect()
}

/// Where an indirect call leads: known if it goes by a register or a constant in memory whose value is known.
fn computed(image: &Image, instruction: &Instruction, state: &State) -> Target {
    let address = match instruction.op0_kind() {
        OpKind::Register => state.known(instruction.op0_register()),
        OpKind::Memory if instruction.is_ip_rel_memory_operand() => {
            effect::constant_at(image, instruction.memory_displacement64())
        }
        _ => None,
    };
    address.map_or(Target::Computed, Target::Known)
}

/// The address that a direct jump leads to.
fn branch(instruction: &Instruction) -> Option<u64> {
    let jumps = matches!(
        instruction.flow_control(),
        FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch
    );
    jumps.then(|| instruction.near_branch_target())
}

fn is_call(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Call
}

#[cfg(test)]
mod tests;
