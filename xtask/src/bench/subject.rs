//! What is measured: an image, on the platform that it finds.
//!
//! An image of one platform finds that one, so the platform says it all. That of the parent finds whatever it is booted on, and its figures are
//! to be told from those of the images beside which they stand. So they have a name of their own, where others have their platform's.

use crate::configuration::{Configuration, PARENT};
use crate::failure::Failure;
use crate::platform::Platform;
use anyhow::{Result, ensure};

/// Where the image of the parent is measured: beside those whose operations it takes over. On vmi these are the ROM's.
const PLACES: [Platform; 2] = [Platform::Native, Platform::Xen];

/// An image where it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The image for this platform alone.
    Single(Platform),
    /// That of the parent with all children, on this platform.
    Parent(Platform),
}

impl Subject {
    /// The image in this configuration, wherever it is measured.
    pub fn all_of(configuration: &Configuration) -> Vec<Self> {
        match configuration {
            Configuration::Single(platform) => vec![Self::Single(*platform)],
            Configuration::Paravirt(_) => PLACES.map(Self::Parent).to_vec(),
        }
    }

    /// What the image is compiled for.
    pub fn configuration(self) -> Configuration {
        match self {
            Self::Single(platform) => Configuration::Single(platform),
            Self::Parent(_) => Configuration::Paravirt(Platform::ALL.to_vec()),
        }
    }

    /// The platform that the image finds.
    pub fn platform(self) -> Platform {
        let (Self::Single(platform) | Self::Parent(platform)) = self;
        platform
    }

    /// The name that its figures have for their platform's: `xen`, `paravirt-xen`.
    pub fn name(self) -> String {
        match self {
            Self::Single(platform) => platform.name().to_owned(),
            Self::Parent(platform) => format!("{PARENT}-{platform}"),
        }
    }
}

/// The images that `given` asks for, all if it names none, in the order in which they are measured. Those beside which the parent stands
/// are measured with it: without them its figures say nothing.
///
/// # Errors
/// [`Failure::Usage`]: a name is unknown, or the parent is to have some children only.
pub fn configurations(given: &[String]) -> Result<Vec<Configuration>> {
    let chosen = Configuration::chosen(given)?;
    let whole = Configuration::Paravirt(Platform::ALL.to_vec());
    for one in &chosen {
        ensure!(
            *one == whole || matches!(one, Configuration::Single(_)),
            Failure::Usage.error(format!(
                "{one}: the parent is measured with all its children: `--features {PARENT}`"
            ))
        );
    }
    let beside = |one: &Configuration| PLACES.map(Configuration::Single).contains(one) && chosen.contains(&whole);
    let all = Configuration::all().into_iter();
    Ok(all.filter(|one| chosen.contains(one) || beside(one)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(given: &[&str]) -> Vec<String> {
        let given: Vec<_> = given.iter().map(ToString::to_string).collect();
        let configurations = configurations(&given).unwrap();
        let subjects = configurations.iter().flat_map(Subject::all_of);
        subjects.map(Subject::name).collect()
    }

    #[test]
    fn each_is_measured_and_the_parent_twice() {
        assert_eq!(names(&[]), ["native", "xen", "vmi", "paravirt-native", "paravirt-xen"]);
        assert_eq!(names(&["vmi,native"]), ["native", "vmi"]);
    }

    #[test]
    fn the_parent_brings_what_it_stands_beside() {
        let with_parent = ["native", "xen", "paravirt-native", "paravirt-xen"];
        assert_eq!(names(&["paravirt"]), with_parent);
        assert_eq!(names(&["paravirt,native,xen,vmi", "xen"]), with_parent);
    }

    #[test]
    fn the_parent_with_some_children_is_refused() {
        let error = configurations(&["paravirt,xen".to_owned()]).unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Usage);
        assert_eq!(
            error.to_string(),
            "paravirt-xen: the parent is measured with all its children: `--features paravirt`"
        );
    }
}
