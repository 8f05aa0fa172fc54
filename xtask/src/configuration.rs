//! What one image is compiled for.
//!
//! One platform, whose operations are then in line. Or several: these are the children of the configuration `paravirt`, and every
//! place where their operations differ is patched at boot. A kernel has no third way, since cargo's features add up and two platforms
//! without the parent contradict each other. The tool has the same rule and says so in the same words, so that a newcomer who
//! asks for two learns it before the compiler has to.

use crate::failure::Failure;
use crate::platform::{Platform, names};
use anyhow::Result;
use std::{fmt, slice};

/// The feature that is the parent of the platforms', and the first part of the image's name.
pub const PARENT: &str = "paravirt";

/// The choice of platforms for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Configuration {
    /// This one alone.
    Single(Platform),
    /// The parent with these children, at least one, in the order of [`Platform::ALL`].
    Paravirt(Vec<Platform>),
}

impl Configuration {
    /// All that users choose between: each platform alone, and the parent with all of them.
    pub fn all() -> Vec<Self> {
        let single = Platform::ALL.into_iter().map(Self::Single);
        single.chain([Self::Paravirt(Platform::ALL.to_vec())]).collect()
    }

    /// The one configuration that `given` names, native if it names none; the parent's children are all unless some are named.
    ///
    /// Takes what the user typed after each `--features`; a value may hold several names, as cargo's may.
    ///
    /// # Errors
    /// [`Failure::Usage`]: a name is unknown, or there are two without the parent.
    pub fn only(given: &[String]) -> Result<Self> {
        if let Some(parent) = Self::parent(given)? {
            return Ok(parent);
        }
        match Platform::several(given)?.as_slice() {
            [] => Ok(Self::Single(Platform::Native)),
            [one] => Ok(Self::Single(*one)),
            [_, ..] => Err(two_without_parent(given)),
        }
    }

    /// Every configuration that `given` names, all if it names none: each value with the parent in it is one, and in other values each
    /// name is.
    ///
    /// # Errors
    /// [`Failure::Usage`]: a name is unknown.
    pub fn chosen(given: &[String]) -> Result<Vec<Self>> {
        let mut chosen = Vec::new();
        for value in given.chunks(1) {
            let named = match Self::parent(value)? {
                Some(parent) => vec![parent],
                None => Platform::several(value)?.into_iter().map(Self::Single).collect(),
            };
            for one in named {
                if !chosen.contains(&one) {
                    chosen.push(one);
                }
            }
        }
        Ok(if chosen.is_empty() { Self::all() } else { chosen })
    }

    /// It, and if it is the parent with all its children, the parent with each two of them.
    pub fn and_pairs(self) -> Vec<Self> {
        let pairs = if self == Self::Paravirt(Platform::ALL.to_vec()) {
            let without = |left_out| Platform::ALL.into_iter().filter(|one| *one != left_out).collect();
            Platform::ALL
                .into_iter()
                .rev()
                .map(|left_out| Self::Paravirt(without(left_out)))
                .collect()
        } else {
            Vec::new()
        };
        [vec![self], pairs].concat()
    }

    /// The platforms that the image runs on.
    pub fn platforms(&self) -> &[Platform] {
        match self {
            Self::Single(platform) => slice::from_ref(platform),
            Self::Paravirt(children) => children,
        }
    }

    /// The platform that the image is booted on if nobody asks for another: the one that needs the least.
    pub fn usual_platform(&self) -> Platform {
        let by_need = [Platform::Native, Platform::Vmi];
        let found = by_need.into_iter().find(|platform| self.platforms().contains(platform));
        found.unwrap_or(Platform::Xen)
    }

    /// The features of the kernel's package, as cargo takes them.
    pub fn features(&self) -> String {
        let parent = matches!(self, Self::Paravirt(_)).then_some(PARENT);
        joined(parent, self.platforms(), ",")
    }

    /// The name of the image.
    pub fn name(&self) -> String {
        match self {
            Self::Single(platform) => platform.name().to_owned(),
            Self::Paravirt(children) if *children == Platform::ALL => PARENT.to_owned(),
            Self::Paravirt(children) => joined(Some(PARENT), children, "-"),
        }
    }

    /// What to type for an image that is for `platform` as well.
    pub fn features_with(&self, platform: Platform) -> String {
        let both = |one: &Platform| *one == platform || self.platforms().contains(one);
        Self::Paravirt(Platform::ALL.into_iter().filter(both).collect()).features()
    }

    /// The parent with its children, if `given` names it.
    fn parent(given: &[String]) -> Result<Option<Self>> {
        if !names(given).any(|name| name == PARENT) {
            return Ok(None);
        }
        let children = Platform::named(names(given).filter(|name| *name != PARENT))?;
        let children = if children.is_empty() {
            Platform::ALL.to_vec()
        } else {
            children
        };
        Ok(Some(Self::Paravirt(children)))
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

/// What is said to somebody who names two platforms without their parent.
fn two_without_parent(given: &[String]) -> anyhow::Error {
    let all = Platform::ALL.map(Platform::name).join(", ");
    let typed = names(given).collect::<Vec<_>>().join(",");
    Failure::Usage.error(format!(
        "an image is for one platform: choose one of {all}; or have them in one image: `--features {PARENT},{typed}`"
    ))
}

/// The parent, if it is there, and these platforms.
fn joined(parent: Option<&str>, platforms: &[Platform], separator: &str) -> String {
    let names = platforms.iter().map(|platform| platform.name());
    parent.into_iter().chain(names).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::explain;

    fn typed(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    fn only(values: &[&str]) -> Configuration {
        Configuration::only(&typed(values)).unwrap()
    }

    fn chosen(values: &[&str]) -> Vec<String> {
        let chosen = Configuration::chosen(&typed(values)).unwrap();
        chosen.iter().map(Configuration::name).collect()
    }

    #[test]
    fn nothing_typed_is_native() {
        assert_eq!(only(&[]), Configuration::Single(Platform::Native));
    }

    #[test]
    fn the_same_twice_is_one() {
        assert_eq!(only(&["xen", "xen"]), Configuration::Single(Platform::Xen));
    }

    #[test]
    fn two_without_the_parent_are_refused_with_the_way_in_either_spelling() {
        for values in [vec!["native,xen"], vec!["native", "xen"], vec!["native xen"]] {
            let error = Configuration::only(&typed(&values)).unwrap_err();
            assert_eq!(Failure::of(&error), Failure::Usage);
            let said = explain(&error);
            assert!(said.contains("one of native, xen, vmi;"), "{said}");
            assert!(said.ends_with("`--features paravirt,native,xen`"), "{said}");
        }
    }

    #[test]
    fn the_parent_alone_has_all_children() {
        let all = only(&["paravirt"]);
        assert_eq!(all, Configuration::Paravirt(Platform::ALL.to_vec()));
        assert_eq!(
            (all.features().as_str(), all.name().as_str()),
            ("paravirt,native,xen,vmi", "paravirt")
        );
    }

    #[test]
    fn children_may_be_chosen_in_any_order_and_spelling() {
        for values in [vec!["paravirt,native,xen"], vec!["xen", "paravirt native"]] {
            let some = only(&values);
            assert_eq!(some.features(), "paravirt,native,xen");
            assert_eq!(some.name(), "paravirt-native-xen");
        }
        assert_eq!(only(&["paravirt,vmi"]).name(), "paravirt-vmi");
    }

    #[test]
    fn where_several_may_be_chosen_each_value_speaks_for_itself() {
        assert_eq!(chosen(&[]), ["native", "xen", "vmi", "paravirt"]);
        assert_eq!(chosen(&["vmi,native"]), ["native", "vmi"]);
        assert_eq!(
            chosen(&["native", "paravirt", "native,xen"]),
            ["native", "paravirt", "xen"]
        );
        assert_eq!(chosen(&["paravirt,xen,vmi", "xen"]), ["paravirt-xen-vmi", "xen"]);
    }

    #[test]
    fn all_children_have_three_pairs() {
        let names = |one: Configuration| one.and_pairs().iter().map(Configuration::name).collect::<Vec<_>>();
        let pairs = ["paravirt-native-xen", "paravirt-native-vmi", "paravirt-xen-vmi"];
        assert_eq!(names(only(&["paravirt"])), [["paravirt"].as_slice(), &pairs].concat());
        assert_eq!(names(only(&["paravirt,native,xen"])), ["paravirt-native-xen"]);
        assert_eq!(names(only(&["vmi"])), ["vmi"]);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_right_ones() {
        for values in [typed(&["kvm"]), typed(&["paravirt,kvm"])] {
            for error in [
                Configuration::only(&values).unwrap_err(),
                Configuration::chosen(&values).unwrap_err(),
            ] {
                let said = explain(&error);
                assert_eq!(said, "no platform is called `kvm`; choose one of native, xen, vmi");
            }
        }
    }
}
