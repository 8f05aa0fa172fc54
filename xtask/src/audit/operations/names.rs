//! Names instead of addresses, which move with every build.
//!
//! What lies in the image is shown by its symbol and the distance from that. What has none, as the texts of messages, is shown by its
//! section alone. Jumps within an operation lead to labels, which are numbered by their order.

use crate::audit::image::{Function, Image};
use crate::audit::violation::formatter;
use crate::places::demangled;
use iced_x86::{FlowControl, Instruction, IntelFormatter, SymbolResolver, SymbolResult};
use std::collections::BTreeMap;
use std::ops::Range;

/// Names for addresses.
#[derive(Debug, Clone)]
pub struct Names {
    labels: BTreeMap<u64, usize>,
    names: BTreeMap<u64, Named>,
    sections: Vec<(Range<u64>, String)>,
    image: Range<u64>,
}

/// What a symbol names.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    /// How many bytes; zero for a place that is only an address.
    size: u64,
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
        let is_here = |target: &u64| instructions.iter().any(|each| each.ip() == *target);
        let mut inside: Vec<_> = targets
            .filter(|target| function.range.contains(target) || is_here(target))
            .collect();
        inside.sort_unstable_by_key(|target| (!function.range.contains(target), *target));
        inside.dedup();
        let sections = image
            .sections
            .iter()
            .map(|section| (section.range.clone(), section.name.clone()));
        let bound = |name: &str| image.symbols.get(name).copied().unwrap_or_default();
        Self {
            labels: inside.into_iter().zip(1..).collect(),
            names: named(image),
            sections: sections.collect(),
            image: bound("__image_start")..bound("__image_end"),
        }
    }

    /// The line of a label, if a jump leads to `address`.
    pub fn label(&self, address: u64) -> Option<String> {
        self.labels.get(&address).map(|number| format!("{number}:"))
    }

    /// Whether `address` is one of the image's, so that it moves with every build.
    pub fn is_in_image(&self, address: u64) -> bool {
        self.image.contains(&address)
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
        if !self.is_in_image(address) {
            return None;
        }
        let nearest = self.names.range(..=address).next_back();
        if let Some((start, named)) = nearest.filter(|(start, named)| address - **start < named.size.max(1)) {
            return Some(SymbolResult::with_string(*start, named.name.clone()));
        }
        let (_, section) = self.sections.iter().find(|(range, _)| range.contains(&address))?;
        Some(SymbolResult::with_string(address, section.clone()))
    }
}

/// All that has a symbol, by address. Of several symbols for one address the one that names the most is taken.
fn named(image: &Image) -> BTreeMap<u64, Named> {
    let mut all: BTreeMap<u64, Named> = BTreeMap::new();
    for (symbol, address) in &image.symbols {
        let size = image.sizes.get(symbol).copied().unwrap_or_default();
        if all.get(address).is_none_or(|other| other.size <= size) {
            let name = plain(symbol);
            all.insert(*address, Named { name, size });
        }
    }
    all
}

/// A symbol as the source has it, without the compiler's hash and number.
fn plain(symbol: &str) -> String {
    let name = demangled(symbol);
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
