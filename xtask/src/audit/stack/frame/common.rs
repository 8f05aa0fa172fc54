//! What the functions of an image have in common: what is beside them, and how they return.

use super::super::super::image::{DETOURS, Image};
use iced_x86::{FlowControl, Instruction};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// What is looked up again and again.
pub struct Common<'a> {
    /// The image.
    pub image: &'a Image,
    /// What is beside all functions.
    pub beside: Beside,
    /// How many bytes of arguments functions take off the stack when they return, by the functions' addresses, if any.
    taken: HashMap<u64, i64>,
}

/// Where jumps lead that have taken the place of instructions.
pub struct Beside {
    range: Range<u64>,
    instructions: BTreeMap<u64, Instruction>,
}

impl<'a> Common<'a> {
    /// Looks at all of `image`.
    pub fn of(image: &'a Image) -> Self {
        let stretch = image.functions.iter().find(|function| function.name == DETOURS[0]);
        let instructions = stretch.map(|stretch| image.instructions(stretch)).unwrap_or_default();
        let taken = image
            .all_instructions()
            .filter(|(_, each)| each.flow_control() == FlowControl::Return && each.op_count() > 0)
            .map(|(function, each)| (function.range.start, each.immediate(0).cast_signed()));
        Self {
            image,
            beside: Beside {
                range: stretch.map_or(0..0, |stretch| stretch.range.clone()),
                instructions: instructions.into_iter().map(|each| (each.ip(), each)).collect(),
            },
            taken: taken.collect(),
        }
    }

    /// How many bytes of arguments are gone after `call`.
    pub fn taken_by(&self, call: &Instruction) -> i64 {
        let taken = self
            .taken
            .get(&call.near_branch_target())
            .filter(|_| call.is_call_near());
        taken.copied().unwrap_or_default()
    }

    /// Whether what `call` calls never returns. Of an image for one platform that is not asked: what follows such a call is that platform's.
    pub fn is_last(&self, call: &Instruction) -> bool {
        self.image.is_as_booted() && self.image.diverges(call.near_branch_target())
    }
}

impl Beside {
    /// Whether `address` is there.
    pub fn contains(&self, address: u64) -> bool {
        self.range.contains(&address)
    }

    /// The instruction that begins at `address`.
    pub fn at(&self, address: u64) -> Option<Instruction> {
        self.instructions.get(&address).copied()
    }
}
