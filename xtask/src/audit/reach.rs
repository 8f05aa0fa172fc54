//! What of an image's code can be executed, if it is entered at one of some places.
//!
//! An image for several platforms holds the code of them all, and on each of them most of the others' is out of reach: after patching no
//! jump leads there. To say that under Xen no privileged instruction is executed is therefore to follow the code as the processor
//! would, along every call, every jump in either direction, and to every address of code that is loaded on the way or stands in the
//! image's data. It is too much rather than too little: an address that is loaded may never be jumped to.

use super::constant;
use super::image::Image;
use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, OpKind};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The addresses of all instructions that can be executed.
#[derive(Debug)]
pub struct Reach(HashSet<u64>);

impl Reach {
    /// What is reached from `entries`, and from whatever function the image's data has the address of.
    pub fn of(image: &Image, entries: &[u64]) -> Self {
        let everywhere = image.code().map(|section| section.range.clone()).collect();
        let mut walk = Walk::new(image, entries.to_vec(), everywhere);
        walk.waiting.extend(functions_in_data(image));
        walk.go();
        Self(walk.reached)
    }

    /// Whether the instruction at `address` can be executed.
    pub fn contains(&self, address: u64) -> bool {
        self.0.contains(&address)
    }

    /// How many instructions can be.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// The instructions that can be executed if `image` is entered at `entry` and not followed out of `stretches`, by ascending address.
pub fn within(image: &Image, entry: u64, stretches: Vec<Range<u64>>) -> Vec<Instruction> {
    let mut walk = Walk::new(image, vec![entry], stretches);
    walk.go();
    let mut found: Vec<_> = walk
        .reached
        .iter()
        .filter_map(|address| walk.decode(*address))
        .collect();
    found.sort_by_key(Instruction::ip);
    found
}

/// The functions whose addresses are words of the image's data; notes are for loaders, and name the entries of other platforms as well.
fn functions_in_data(image: &Image) -> Vec<u64> {
    let starts: HashSet<u64> = image.functions.iter().map(|function| function.range.start).collect();
    let data = image
        .sections
        .iter()
        .filter(|section| !section.rights.execute && !section.name.starts_with(".note"));
    let words = data.flat_map(|section| section.bytes.as_chunks().0);
    words
        .map(|word| u64::from_le_bytes(*word))
        .filter(|word| starts.contains(word))
        .collect()
}

/// On the way through an image.
struct Walk<'i> {
    image: &'i Image,
    /// The code that is followed.
    stretches: Vec<Range<u64>>,
    /// Where to go on.
    waiting: Vec<u64>,
    reached: HashSet<u64>,
    /// Of functions that were called, whether they never return.
    diverging: HashMap<u64, bool>,
}

impl<'i> Walk<'i> {
    /// Nothing is reached yet.
    fn new(image: &'i Image, waiting: Vec<u64>, stretches: Vec<Range<u64>>) -> Self {
        Self {
            image,
            stretches,
            waiting,
            reached: HashSet::new(),
            diverging: HashMap::new(),
        }
    }

    /// Follows all that waits.
    fn go(&mut self) {
        while let Some(address) = self.waiting.pop() {
            self.follow(address);
        }
    }

    /// Follows the code at `address` until it goes on elsewhere.
    fn follow(&mut self, mut address: u64) {
        while let Some(instruction) = self.decode(address) {
            if !self.reached.insert(address) {
                return;
            }
            self.waiting.extend(self.addresses_in(&instruction));
            match self.next(&instruction) {
                Some(next) => address = next,
                None => return,
            }
        }
    }

    /// The instruction at `address`, if there is code that is followed.
    fn decode(&self, address: u64) -> Option<Instruction> {
        self.stretches.iter().find(|stretch| stretch.contains(&address))?;
        let section = self.image.code().find(|section| section.range.contains(&address))?;
        let bytes = section.bytes.get((address - section.range.start) as usize..)?;
        let instruction = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).decode();
        (!instruction.is_invalid()).then_some(instruction)
    }

    /// The address behind `instruction`, if it is executed after it or after what it calls. Where else it leads is looked at later.
    fn next(&mut self, instruction: &Instruction) -> Option<u64> {
        let next = instruction.next_ip();
        match instruction.flow_control() {
            FlowControl::Return => None,
            FlowControl::Exception => self.image.behind_prefix(instruction),
            FlowControl::UnconditionalBranch => {
                self.waiting.push(instruction.near_branch_target());
                None
            }
            FlowControl::ConditionalBranch => {
                self.waiting.push(instruction.near_branch_target());
                Some(next)
            }
            FlowControl::Call if instruction.is_call_near() => {
                let target = instruction.near_branch_target();
                self.waiting.push(target);
                (!self.diverges(target)).then_some(next)
            }
            FlowControl::IndirectBranch => {
                self.by_pointer(instruction);
                None
            }
            FlowControl::IndirectCall => {
                let target = self.by_pointer(instruction);
                target.is_none_or(|target| !self.diverges(target)).then_some(next)
            }
            _ => Some(next),
        }
    }

    /// Where an indirect call or jump leads, if that is a constant. If not, whoever computes the address has loaded it before.
    fn by_pointer(&mut self, instruction: &Instruction) -> Option<u64> {
        let function = self.image.function_at(instruction.ip())?;
        let target = constant::target(self.image, function, instruction)?.range.start;
        self.waiting.push(target);
        Some(target)
    }

    /// The addresses of code that `instruction` has as a number, or relative to its own.
    fn addresses_in(&self, instruction: &Instruction) -> Vec<u64> {
        let numbers = (0..instruction.op_count()).filter_map(|operand| match instruction.op_kind(operand) {
            OpKind::Immediate32to64 | OpKind::Immediate64 => Some(instruction.immediate(operand)),
            OpKind::Memory if instruction.is_ip_rel_memory_operand() => Some(instruction.memory_displacement64()),
            _ => None,
        });
        numbers.filter(|address| self.is_code(*address)).collect()
    }

    fn is_code(&self, address: u64) -> bool {
        self.image.code().any(|section| section.range.contains(&address))
    }

    fn diverges(&mut self, function: u64) -> bool {
        *self
            .diverging
            .entry(function)
            .or_insert_with(|| self.image.diverges(function))
    }
}

#[cfg(test)]
mod tests;
