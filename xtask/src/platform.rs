//! The platforms a kernel can be built for.
//!
//! A platform is a *cargo feature* of `kernel-core`, and exactly one must be chosen (see the book's chapter on the
//! border). The tool has the same rule and says so in the same words, so that a newcomer who asks for two learns it
//! before the compiler has to.

use crate::failure::Failure;
use anyhow::Result;
use std::fmt;

/// One platform; its name is the feature's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Ring 0 on the bare machine.
    Native,
    /// A paravirtual guest of the Xen hypervisor, as dom0 or domU.
    Xen,
    /// The machine as a VMI-64 ROM presents it, or the bare machine when there is none.
    Vmi,
}

impl Platform {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::Native, Self::Xen, Self::Vmi];

    /// The name of the feature, of the image, and of the platform on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Xen => "xen",
            Self::Vmi => "vmi",
        }
    }

    /// The one platform that `given` names, native if it names none.
    ///
    /// Takes what the user typed after each `--features`; a value may hold several names, as cargo's may.
    pub fn only(given: &[String]) -> Result<Self> {
        match Self::several(given)?.as_slice() {
            [] => Ok(Self::Native),
            [one] => Ok(*one),
            [_, ..] => Err(Failure::Usage.error(format!("an image is for one platform: choose one of {}", listed()))),
        }
    }

    /// Every platform that `given` names, each once, in the order of [`Self::ALL`].
    pub fn several(given: &[String]) -> Result<Vec<Self>> {
        let names = given
            .iter()
            .flat_map(|value| value.split([',', ' ']))
            .filter(|name| !name.is_empty());
        let asked = names.map(Self::named).collect::<Result<Vec<_>>>()?;
        Ok(Self::ALL
            .into_iter()
            .filter(|platform| asked.contains(platform))
            .collect())
    }

    /// Every platform that `given` names, all if it names none.
    pub fn chosen(given: &[String]) -> Result<Vec<Self>> {
        let named = Self::several(given)?;
        Ok(if named.is_empty() { Self::ALL.to_vec() } else { named })
    }

    /// The platform called `name`.
    fn named(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.name() == name)
            .ok_or_else(|| Failure::Usage.error(format!("no platform is called `{name}`; choose one of {}", listed())))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The names of all platforms, for a message.
fn listed() -> String {
    Platform::ALL.map(Platform::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::explain;

    fn typed(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_typed_is_native() {
        assert_eq!(Platform::only(&[]).unwrap(), Platform::Native);
    }

    #[test]
    fn two_at_once_are_refused_in_either_spelling() {
        for values in [
            typed(&["native,xen"]),
            typed(&["native", "xen"]),
            typed(&["native xen"]),
        ] {
            let error = Platform::only(&values).unwrap_err();
            assert_eq!(Failure::of(&error), Failure::Usage);
            assert!(explain(&error).ends_with("one of native, xen, vmi"), "{error}");
        }
    }

    #[test]
    fn the_same_twice_is_one() {
        assert_eq!(Platform::only(&typed(&["xen", "xen"])).unwrap(), Platform::Xen);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_right_ones() {
        let error = Platform::only(&typed(&["kvm"])).unwrap_err();
        assert_eq!(
            explain(&error),
            "no platform is called `kvm`; choose one of native, xen, vmi"
        );
    }
}
