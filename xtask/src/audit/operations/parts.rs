//! What stands beside all functions and belongs to one: where jumps lead that have taken the place of instructions.
//!
//! An image of several platforms has the other platform's instructions out of the way, and those of an operation are a part of it wherever
//! they are. They lie together (`arch/src/site.rs`), lead to no others there, and come back in the end.

use crate::audit::image::{DETOURS, Image, decode};
use iced_x86::{FlowControl, Instruction};
use std::collections::BTreeMap;
use std::ops::Range;

/// The instructions there that `instructions` lead to, by ascending address.
pub fn of(image: &Image, instructions: &[Instruction]) -> Vec<Instruction> {
    let stretch = image.functions.iter().find(|function| function.name == DETOURS[0]);
    let Some(stretch) = stretch.map(|stretch| stretch.range.clone()) else {
        return Vec::new();
    };
    let mut waiting: Vec<_> = instructions
        .iter()
        .filter_map(|each| jump_into(&stretch, each))
        .collect();
    let mut found = BTreeMap::new();
    while let Some(address) = waiting.pop() {
        let Some(instruction) = first(image, address..stretch.end).filter(|_| !found.contains_key(&address)) else {
            continue;
        };
        waiting.extend(jump_into(&stretch, &instruction));
        if instruction.flow_control() != FlowControl::UnconditionalBranch {
            waiting.push(instruction.next_ip());
        }
        found.insert(address, instruction);
    }
    found.into_values().collect()
}

/// Where `instruction` jumps to, if that is in `stretch`.
fn jump_into(stretch: &Range<u64>, instruction: &Instruction) -> Option<u64> {
    let is_jump = matches!(
        instruction.flow_control(),
        FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch
    );
    let target = instruction.near_branch_target();
    (is_jump && stretch.contains(&target)).then_some(target)
}

/// The instruction at the start of `range`.
fn first(image: &Image, range: Range<u64>) -> Option<Instruction> {
    /// More bytes no instruction has (Intel SDM, vol. 2, 2.3.11).
    const LONGEST: u64 = 15;
    let end = range.end.min(range.start + LONGEST);
    decode(range.start, image.bytes(range.start..end)).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::image::sample::image;

    #[test]
    fn what_a_jump_leads_to_is_followed_until_it_comes_back() {
        // At 0 `jmp 16`; beside, at 16: `test eax, eax; jne 21; jmp 5; nop (21); jmp 5; nop`.
        let image = image(&[
            ("probe.G.f", &|a| {
                a.db(&[
                    0xe9, 11, 0, 0, 0, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
                ])
                .unwrap()
            }),
            (DETOURS[0], &|a| {
                a.db(&[0x85, 0xc0, 0x75, 0x02, 0xeb, 0xef, 0x90, 0xeb, 0xec, 0x90])
                    .unwrap();
            }),
        ]);
        let own = image.instructions(&image.functions[0]);
        let found = of(&image, &own);
        let addresses: Vec<_> = found.iter().map(|each| each.ip()).collect();
        assert_eq!(addresses, [16, 18, 20, 22, 23]);
    }

    #[test]
    fn without_a_jump_there_is_nothing() {
        let image = image(&[
            ("probe.G.f", &|a| a.ret().unwrap()),
            (DETOURS[0], &|a| a.nop().unwrap()),
        ]);
        assert_eq!(of(&image, &image.instructions(&image.functions[0])), []);
    }
}
