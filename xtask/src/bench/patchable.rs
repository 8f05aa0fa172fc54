//! The price of being patchable: what an image costs whose operations could have been others, against one that has them in line.
//!
//! There are two such images. That for vmi, with the ROM `native`, has native's own operations, so what it costs more it costs because each is
//! a place for a ROM. That of the parent, with all its children, has native's operations on a bare machine and those of xen under Xen.
//! One in a hundred is what the project grants either, for all that a kernel does; a single operation of one instruction has no
//! hundredth to spare. Nor has what is as short as a pair of them, and the parent has a place for a jump behind each unmasking: where
//! a hundredth is less than one instruction, it may have that one.

use super::figures::{Figure, Group};

/// By how much what a kernel does may cost more.
const ALLOWED: f64 = 1.01;

/// An image that can be patched, and the one whose operations it then has.
#[derive(Debug, PartialEq)]
pub struct Pair {
    /// The name that the figures of the first have for their platform's.
    pub patchable: &'static str,
    /// The platform of the second.
    pub single: &'static str,
    /// How many instructions more are granted even where they are over one in a hundred.
    spared: f64,
}

/// vmi beside native.
pub const VMI: Pair = pair("vmi", "native", 0.0);
/// The parent on a bare machine.
pub const PARENT_BARE: Pair = pair("paravirt-native", "native", 1.0);
/// The parent under Xen.
pub const PARENT_XEN: Pair = pair("paravirt-xen", "xen", 1.0);

const fn pair(patchable: &'static str, single: &'static str, spared: f64) -> Pair {
    Pair {
        patchable,
        single,
        spared,
    }
}

/// What one operation costs in both images of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    patchable: f64,
    single: f64,
    /// The most that it may cost in the one that can be patched.
    pub limit: f64,
}

impl Pair {
    /// The price of `operation`, if it is one of those that the bar is for and was measured in both images.
    pub fn price(&self, figures: &[Figure], operation: &str) -> Option<Price> {
        let find = |platform: &str| {
            let mut all = figures.iter();
            all.find(|figure| {
                figure.platform == platform && figure.operation == operation && figure.group() == Group::Composite
            })
        };
        let (patchable, single) = (find(self.patchable)?.median, find(self.single)?.median);
        let limit = (single * ALLOWED).max(single + self.spared);
        Some(Price {
            patchable,
            single,
            limit,
        })
    }

    /// A complaint about each operation that costs more than the bar allows.
    fn missed(&self, figures: &[Figure]) -> Vec<String> {
        let patchable = figures.iter().filter(|figure| figure.platform == self.patchable);
        let prices = patchable.filter_map(|figure| Some((figure, self.price(figures, &figure.operation)?)));
        let above = prices.filter(|(_, price)| !price.is_met());
        let complaint = |(figure, price): (&Figure, Price)| {
            format!(
                "{} {}: {} instructions, {:.1} % over {}, and the bar is {}",
                self.patchable,
                figure.operation,
                figure.median,
                (price.ratio() - 1.0) * 100.0,
                self.single,
                self.bar()
            )
        };
        above.map(complaint).collect()
    }

    /// What is granted, in words.
    fn bar(&self) -> &'static str {
        if self.spared == 0.0 {
            "1 %"
        } else {
            "1 %, or one instruction"
        }
    }
}

impl Price {
    /// How many times what the operation costs in the image of one platform it costs in the one that can be patched.
    pub fn ratio(&self) -> f64 {
        self.patchable / self.single
    }

    /// Whether it meets the bar.
    pub fn is_met(&self) -> bool {
        self.patchable <= self.limit
    }
}

/// A complaint about each operation that costs more in an image that can be patched than its bar allows.
pub fn missed(figures: &[Figure]) -> Vec<String> {
    let pairs = [VMI, PARENT_BARE, PARENT_XEN];
    pairs.iter().flat_map(|pair| pair.missed(figures)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::steady;
    use super::super::subject::Subject;
    use super::*;
    use crate::platform::Platform;

    #[test]
    fn one_in_a_hundred_is_allowed() {
        let figures = |vmi| [steady("native", "yield", 200.0), steady("vmi", "yield", vmi)];
        assert_eq!(missed(&figures(202.0)), Vec::<String>::new());
        assert_eq!(
            missed(&figures(203.0)),
            ["vmi yield: 203 instructions, 1.5 % over native, and the bar is 1 %"]
        );
    }

    #[test]
    fn single_operations_and_other_platforms_are_not_asked() {
        let figures = [
            steady("native", "irq.enable", 1.0),
            steady("vmi", "irq.enable", 2.0),
            steady("paravirt-native", "irq.enable", 9.0),
            steady("native", "yield", 1.0),
            steady("xen", "yield", 9.0),
        ];
        assert_eq!(missed(&figures), Vec::<String>::new());
        assert_eq!(VMI.price(&figures, "irq.enable"), None);
    }

    #[test]
    fn the_parent_is_held_against_the_platform_that_it_finds() {
        let figures = |bare, under_xen| {
            [
                steady("native", "yield", 200.0),
                steady("xen", "yield", 2000.0),
                steady("paravirt-native", "yield", bare),
                steady("paravirt-xen", "yield", under_xen),
            ]
        };
        assert_eq!(missed(&figures(202.0, 2020.0)), Vec::<String>::new());
        assert_eq!(
            missed(&figures(203.0, 2030.0)),
            [
                "paravirt-native yield: 203 instructions, 1.5 % over native, and the bar is 1 %, or one instruction",
                "paravirt-xen yield: 2030 instructions, 1.5 % over xen, and the bar is 1 %, or one instruction"
            ]
        );
    }

    #[test]
    fn the_parent_alone_may_have_one_instruction_where_a_hundredth_is_less() {
        let figures = |name, cost| [steady("native", "mask-unmask", 2.0), steady(name, "mask-unmask", cost)];
        assert_eq!(missed(&figures("paravirt-native", 3.0)), Vec::<String>::new());
        assert_eq!(
            missed(&figures("paravirt-native", 3.1)),
            [
                "paravirt-native mask-unmask: 3.1 instructions, 55.0 % over native, and the bar is 1 %, or one instruction"
            ]
        );
        assert_eq!(missed(&figures("vmi", 3.0)).len(), 1);
    }

    #[test]
    fn the_parents_pairs_are_those_that_are_measured() {
        for (pair, platform) in [(PARENT_BARE, Platform::Native), (PARENT_XEN, Platform::Xen)] {
            assert_eq!(pair.patchable, Subject::Parent(platform).name());
            assert_eq!(pair.single, Subject::Single(platform).name());
        }
    }
}
