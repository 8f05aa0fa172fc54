//! Names instead of addresses, which move with every build.
//!
//! What lies in the image has a symbol, and is shown by it and by the distance from it. Jumps within an operation lead to labels, which
//! are numbered by their order.

use crate::audit::image::{Function, Image};
use crate::audit::violation::formatter;
use iced_x86::{FlowControl, Instruction, IntelFormatter, SymbolResolver, SymbolResult};
use std::collections::BTreeMap;
use std::ops::Range;

/// Names for addresses.
#[derive(Debug, Clone)]
pub struct Names {
    labels: BTreeMap<u64, usize>,
    names: BTreeMap<u64, String>,
    image: Range<u64>,
}

impl Names {
    /// Names for what `instructions`, all of `function`, refer to.
    pub fn new(image: &Image, function: &Function, instructions: &[Instruction]) -> Self {
        let is_jump = |each: &&Instruction| {
            matches!(
                each.flow_control(),
                FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch
            )
        };
        let targets = instructions.iter().filter(is_jump).map(Instruction::near_branch_target);
        let mut inside: Vec<_> = targets.filter(|target| function.range.contains(target)).collect();
        inside.sort_unstable();
        inside.dedup();
        let names = image.symbols.iter().map(|(name, address)| (*address, plain(name)));
        let bound = |name: &str| image.symbols.get(name).copied().unwrap_or_default();
        Self {
            labels: inside.into_iter().zip(1..).collect(),
            names: names.collect(),
            image: bound("__image_start")..bound("__image_end"),
        }
    }

    /// The line of a label, if a jump leads to `address`.
    pub fn label(&self, address: u64) -> Option<String> {
        self.labels.get(&address).map(|number| format!("{number}:"))
    }

    /// What writes instructions with these names.
    pub fn formatter(&self) -> IntelFormatter {
        formatter(Some(Box::new(self.clone())))
    }
}

impl SymbolResolver for Names {
    fn symbol(&mut self, _: &Instruction, _: u32, _: Option<u32>, address: u64, _: u32) -> Option<SymbolResult<'_>> {
        if let Some(label) = self.labels.get(&address) {
            return Some(SymbolResult::with_string(address, label.to_string()));
        }
        if !self.image.contains(&address) {
            return None;
        }
        let (start, name) = self.names.range(..=address).next_back()?;
        Some(SymbolResult::with_string(*start, name.clone()))
    }
}

/// A symbol as the source has it, without the compiler's hash and number.
fn plain(symbol: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    stem.strip_suffix('.').map_or(name.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_shown_without_what_the_compiler_adds() {
        assert_eq!(
            plain("_ZN14subarch_native3mmu11KERNEL_ROOT17hc76fc1a98164de84E.0"),
            "subarch_native::mmu::KERNEL_ROOT"
        );
        assert_eq!(plain("__image_start"), "__image_start");
    }
}
