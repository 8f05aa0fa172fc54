//! The platforms a kernel can run on.
//!
//! A platform is a cargo feature of `kernel-core` and a kind of machine to boot on. Which of them an image is compiled for is its
//! [`Configuration`](crate::configuration::Configuration).

use crate::failure::Failure;
use anyhow::Result;
use clap::ValueEnum;
use std::fmt;

/// One platform; its name is the feature's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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

    /// Whether the kernel has the machine to itself there.
    pub fn is_bare(self) -> bool {
        match self {
            Self::Native | Self::Vmi => true,
            Self::Xen => false,
        }
    }

    /// Every platform that `given` names, each once, in the order of [`Self::ALL`].
    ///
    /// Takes what the user typed after each `--features`; a value may hold several names, as cargo's may.
    pub fn several(given: &[String]) -> Result<Vec<Self>> {
        Self::named(names(given))
    }

    /// The platforms with these names, each once, in the order of [`Self::ALL`].
    pub fn named<'n>(names: impl Iterator<Item = &'n str>) -> Result<Vec<Self>> {
        let asked = names.map(Self::called).collect::<Result<Vec<_>>>()?;
        Ok(Self::ALL
            .into_iter()
            .filter(|platform| asked.contains(platform))
            .collect())
    }

    /// The platform called `name`.
    fn called(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.name() == name)
            .ok_or_else(|| {
                let all = Self::ALL.map(Self::name).join(", ");
                Failure::Usage.error(format!("no platform is called `{name}`; choose one of {all}"))
            })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The names in what the user typed after each `--features`.
pub fn names(given: &[String]) -> impl Iterator<Item = &str> {
    given
        .iter()
        .flat_map(|value| value.split([',', ' ']))
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::explain;

    fn several(value: &str) -> Result<Vec<Platform>> {
        Platform::several(&[value.to_owned()])
    }

    #[test]
    fn each_is_named_once_in_the_usual_order() {
        assert_eq!(several("xen,native xen").unwrap(), [Platform::Native, Platform::Xen]);
    }

    #[test]
    fn the_command_line_has_the_same_names() {
        for platform in Platform::ALL {
            assert_eq!(Platform::from_str(platform.name(), false), Ok(platform));
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_right_ones() {
        let said = explain(&several("kvm").unwrap_err());
        assert_eq!(said, "no platform is called `kvm`; choose one of native, xen, vmi");
    }
}
